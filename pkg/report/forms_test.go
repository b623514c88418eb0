package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/infbench/infbench/pkg/analyze"
	"github.com/infbench/infbench/pkg/endpoint"
)

func TestMarkdownGolden(t *testing.T) {
	for name, a := range runs() {
		var b bytes.Buffer
		if err := Markdown(&b, a); err != nil {
			t.Fatal(err)
		}
		golden(t, "report-"+name+".md", b.Bytes())
	}
}

// What a server says must stay text: a table row, a link and a tag in an error message are none in report.md.
func TestMarkdownDefusesForeignText(t *testing.T) {
	a := synthetic(0.1)
	a.Summary.Approaches[0].Errors = map[endpoint.Class]int{endpoint.HTTPStatus: 1}
	a.Summary.Approaches[0].ErrorExamples = map[endpoint.Class]string{endpoint.HTTPStatus: "x | y\n\n# heading <script>alert(1)</script> ![p](http://evil.example/p.png) https://evil.example www.evil.example @someone `code`"}
	var b bytes.Buffer
	if err := Markdown(&b, a); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "![p]", "<p", "http://", "https://", "www.evil", "\n# heading", "x | y", "@someone"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("report.md holds %q", bad)
		}
	}
	if !strings.Contains(b.String(), "alert(1)") {
		t.Error("the message is lost")
	}
}

func TestSummaryJSONGolden(t *testing.T) {
	for name, a := range runs() {
		var b bytes.Buffer
		if err := SummaryJSON(&b, a.Summary); err != nil {
			t.Fatal(err)
		}
		golden(t, "summary-"+name+".json", b.Bytes())
		var back analyze.Summary
		if err := json.Unmarshal(b.Bytes(), &back); err != nil {
			t.Fatal(err)
		}
		var again bytes.Buffer
		if err := SummaryJSON(&again, &back); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), again.Bytes()) {
			t.Errorf("%s: summary.json read and written again differs", name)
		}
	}
}

func TestSummaryJSONErrors(t *testing.T) {
	if err := SummaryJSON(&bytes.Buffer{}, nil); err == nil {
		t.Error("no error for no summary")
	}
	bad := synthetic(0.1).Summary
	bad.Approaches[0].OfferedRate = math.NaN()
	if err := SummaryJSON(&bytes.Buffer{}, bad); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("error %v, want one that names NaN", err)
	}
	if err := SummaryJSON(failingWriter{}, synthetic(0.1).Summary); !errors.Is(err, errDisk) {
		t.Errorf("error %v, want that of the writer", err)
	}
}
