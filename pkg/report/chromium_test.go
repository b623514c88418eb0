package report

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var screenshots = flag.String("screenshots", "", "write pictures of the report, as Chromium shows it, into this `directory`")

// browser is a headless Chromium, spoken to over a pair of pipes in the DevTools protocol.
type browser struct {
	t       *testing.T
	in      io.WriteCloser
	out     *bufio.Reader
	last    int
	session string
	events  []event
}

type event struct {
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

type reply struct {
	event
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium here: scripts/install-chromium installs it (as root, on Debian or Ubuntu)")
	}
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // descriptors 3 and 4
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Skipf("Chromium does not start: %v", err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &browser{t: t, in: ourOut, out: bufio.NewReader(ourIn)}
	watchdog := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() }) // a hang becomes a read error
	t.Cleanup(func() {
		watchdog.Stop()
		b.session = ""
		b.send("Browser.close", nil) // ends its children and lets the profile be removed
		cmd.Wait()
		if t.Failed() {
			t.Logf("Chromium said: %s", stderr.String())
		}
	})
	var target struct {
		TargetID string `json:"targetId"`
	}
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct {
		SessionID string `json:"sessionId"`
	}
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

func (b *browser) send(method string, params any) error {
	b.last++
	m := map[string]any{"id": b.last, "method": method}
	if params != nil {
		m["params"] = params
	}
	if b.session != "" {
		m["sessionId"] = b.session
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = b.in.Write(append(data, 0))
	return err
}

// read gives the next message and keeps it when it is an event.
func (b *browser) read() reply {
	b.t.Helper()
	data, err := b.out.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("Chromium went away: %v", err)
	}
	var r reply
	if err := json.Unmarshal(bytes.TrimRight(data, "\x00"), &r); err != nil {
		b.t.Fatal(err)
	}
	if r.Method != "" {
		b.events = append(b.events, r.event)
	}
	return r
}

func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	if err := b.send(method, params); err != nil {
		b.t.Fatal(err)
	}
	for id := b.last; ; {
		r := b.read()
		if r.ID != id {
			continue
		}
		if r.Error != nil {
			b.t.Fatalf("%s: %s", method, r.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(r.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// open shows a page in a window of this size and waits until it is drawn.
func (b *browser) open(address string, width, height int, dark bool) {
	b.t.Helper()
	scheme := map[bool]string{true: "dark", false: "light"}[dark]
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]string{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	b.events = nil
	b.call("Page.navigate", map[string]any{"url": address}, nil)
	for !b.seen("Page.loadEventFired") {
		b.read()
	}
	b.eval(`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`, new(bool))
}

func (b *browser) seen(method string) bool {
	for _, e := range b.events {
		if e.Method == method {
			return true
		}
	}
	return false
}

func (b *browser) eval(expression string, value any) {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Text string }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails.Text)
	}
	if err := json.Unmarshal(r.Result.Value, value); err != nil {
		b.t.Fatalf("%s: %v in %s", expression, err, r.Result.Value)
	}
}

// complaints lists what a page must not do: ask for anything but itself, write to the console, raise an error.
func (b *browser) complaints(self string) []string {
	var out []string
	for _, e := range b.events {
		var p struct {
			Request struct{ URL string }
			Entry   struct{ Level, Text string }
			Type    string
		}
		json.Unmarshal(e.Params, &p)
		switch e.Method {
		case "Network.requestWillBeSent":
			if p.Request.URL != self && !strings.HasPrefix(p.Request.URL, "data:") {
				out = append(out, "asks for "+p.Request.URL)
			}
		case "Log.entryAdded":
			out = append(out, p.Entry.Level+": "+p.Entry.Text)
		case "Runtime.consoleAPICalled":
			out = append(out, "console: "+string(e.Params))
		case "Runtime.exceptionThrown":
			out = append(out, "exception: "+string(e.Params))
		}
	}
	return out
}

func fileURL(path string) string {
	abs, _ := filepath.Abs(path)
	return (&url.URL{Scheme: "file", Path: abs}).String()
}

func TestReportInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	b := newBrowser(t)
	dir := t.TempDir()
	for name, a := range runs() {
		page := filepath.Join(dir, name+".html")
		if err := os.WriteFile(page, pageOf(t, a), 0o644); err != nil {
			t.Fatal(err)
		}
		address := fileURL(page)
		for _, width := range []int{1280, 400} {
			b.open(address, width, 900, width == 400)
			if c := b.complaints(address); len(c) > 0 {
				t.Errorf("%s at %d px: the report %s", name, width, strings.Join(c, "; it "))
			}
			var wide int
			if b.eval(`document.documentElement.scrollWidth`, &wide); wide > width {
				t.Errorf("%s: the page is %d px wide in a window of %d", name, wide, width)
			}
			var pictures int
			if b.eval(`[...document.querySelectorAll("figure svg")].filter(s => s.getBoundingClientRect().height > 100).length`, &pictures); pictures != 6 {
				t.Errorf("%s: %d pictures are shown, want 6", name, pictures)
			}
		}
		if *screenshots != "" {
			b.portraits(filepath.Join(*screenshots, name), address)
		}
	}
}

// portraits takes pictures for a person to look at, in pieces that are not too high to see.
func (b *browser) portraits(prefix, address string) {
	for _, width := range []int{1280, 400} {
		for _, dark := range []bool{false, true} {
			scheme := map[bool]string{true: "dark", false: "light"}[dark]
			b.open(address, width, 1600, dark)
			var height int
			b.eval(`document.documentElement.scrollHeight`, &height)
			for i := 0; i*1600 < height; i++ {
				var ok bool
				b.eval(fmt.Sprintf(`(window.scrollTo({top: %d, behavior: "instant"}), new Promise(d => requestAnimationFrame(() => requestAnimationFrame(() => d(true)))))`, i*1600), &ok)
				var r struct{ Data string }
				b.call("Page.captureScreenshot", map[string]any{"format": "png"}, &r)
				png, err := base64.StdEncoding.DecodeString(r.Data)
				if err == nil {
					err = os.WriteFile(fmt.Sprintf("%s-%d-%s-%d.png", prefix, width, scheme, i), png, 0o644)
				}
				if err != nil {
					b.t.Fatal(err)
				}
			}
		}
	}
}

// The check itself must see a page that misbehaves.
func TestChromiumSeesABadPage(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	b := newBrowser(t)
	page := filepath.Join(t.TempDir(), "bad.html")
	if err := os.WriteFile(page, []byte(`<!DOCTYPE html><title>x</title><img src="http://127.0.0.1:1/x.png"><script>console.error("oops"); undefined.x</script>`), 0o644); err != nil {
		t.Fatal(err)
	}
	b.open(fileURL(page), 800, 600, false)
	got := strings.Join(b.complaints(fileURL(page)), "\n")
	for _, want := range []string{"asks for http://127.0.0.1:1/x.png", "console: ", "exception: "} {
		if !strings.Contains(got, want) {
			t.Errorf("the check does not see %q; it sees:\n%s", want, got)
		}
	}
}
