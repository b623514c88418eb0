package figure

import (
	"bytes"
	"fmt"
	"html"
	"regexp"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// fontStyle is the font of one text as the canvas writes it.
var fontStyle = regexp.MustCompile(`style="font-family:[^;"<>]*;font-variant:[a-z-]*;font-weight:([a-z0-9]+);font-style:normal;`)

// SVG draws the figure as an SVG document of its own, with a title and description for screen readers. It holds no
// font: the text is set in whatever has the widths of Liberation Sans (Arial, Helvetica), else in any sans-serif.
func (f *Figure) SVG() ([]byte, error) {
	c := vgsvg.New(Width, vg.Length(f.Height()))
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("draw %q as SVG: %w", f.Title, err)
	}
	// The canvas writes a document whose size is in points and whose every text names a font that few machines have.
	// Both are ours to say, once, on the root. The attribute's quote cannot occur in escaped text, so only markup is
	// replaced.
	body := b.Bytes()
	start := bytes.Index(body, []byte("<g "))
	if start < 0 {
		return nil, fmt.Errorf("draw %q as SVG: the canvas wrote no group", f.Title)
	}
	body = body[start:]
	body = fontStyle.ReplaceAll(body, []byte(`style="font-weight:$1;`))
	body = bytes.ReplaceAll(body, []byte(`style="font-weight:normal;`), []byte(`style="`))
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" font-family="'Liberation Sans',Arial,Helvetica,sans-serif">`+"\n",
		Width, f.Height(), Width, f.Height())
	fmt.Fprintf(&out, "<title>%s</title>\n<desc>%s</desc>\n", html.EscapeString(clean(f.Title)), html.EscapeString(clean(f.Desc)))
	out.Write(body)
	return out.Bytes(), nil
}
