package scripted

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infbench/infbench/internal/rawnet"
)

func start(t *testing.T) *Server {
	t.Helper()
	return started(t, Start)
}

func started(t *testing.T, start func(addr string) (*Server, error)) *Server {
	t.Helper()
	if !rawnet.Supported {
		t.Skip("the scripted server needs Linux on a 64-bit processor")
	}
	s, err := start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func ask(t *testing.T, c *http.Client, url, prompt string) (int, string) {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"stream": true, "messages": []any{map[string]string{"role": "user", "content": prompt}}})
	res, err := c.Post(url+"/chat/completions", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// An independent client, net/http, reads what the script asked for; no event is written before it is due, and the log
// says when each was.
func TestServer(t *testing.T) {
	t.Run("plain", func(t *testing.T) { servesWhatIsAsked(t, Start) })
	t.Run("TLS", func(t *testing.T) { servesWhatIsAsked(t, StartTLS) })
}

func servesWhatIsAsked(t *testing.T, start func(addr string) (*Server, error)) {
	s := started(t, start)
	roots, err := Roots(base64.StdEncoding.EncodeToString(s.Authority))
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer c.CloseIdleConnections()
	scripts := []Script{{Index: 3, TTFT: 20 * time.Millisecond, Gap: 2 * time.Millisecond, Events: 5, Jitter: 0.5}, {Index: 4, Events: 1}}
	for _, script := range scripts { // the second on the same connection
		before := time.Now().UnixNano()
		status, body := ask(t, c, s.URL, script.Prompt())
		if status != http.StatusOK {
			t.Fatalf("status %d: %s", status, body)
		}
		if n := strings.Count(body, `"content":" `) + strings.Count(body, `"content":",`) + strings.Count(body, `"content":"."`); n != script.Events {
			t.Errorf("%d events with text, want %d:\n%s", n, script.Events, body)
		}
		if !strings.HasSuffix(body, "data: [DONE]\n\n") || !strings.Contains(body, `"role":"assistant"`) || !strings.Contains(body, `"choices":[],"usage":{"prompt_tokens":1,`) {
			t.Errorf("the answer:\n%s", body)
		}
		for line := range strings.Lines(body) {
			if text, ok := strings.CutPrefix(strings.TrimSpace(line), "data: {"); ok && !json.Valid([]byte("{"+text)) {
				t.Errorf("no JSON: %s", line)
			}
		}
		log := s.Log()
		for range 1000 { // the answer's last byte can be here before its line in the log
			if len(log) > 0 {
				break
			}
			time.Sleep(time.Millisecond)
			log = s.Log()
		}
		if len(log) != 1 || log[0].Index != script.Index || len(log[0].Writes) != script.Events {
			t.Fatalf("log %+v", log)
		}
		l := log[0]
		if l.Received < before || l.Due[0] != l.Received+int64(script.TTFT) || !slices.IsSorted(l.Writes) {
			t.Errorf("log %+v, asked at %d", l, before)
		}
		for k := range l.Writes {
			if l.Writes[k] < l.Due[k] {
				t.Errorf("event %d was written %d ns before it was due", k, l.Due[k]-l.Writes[k])
			}
		}
	}
}

func TestRefusal(t *testing.T) {
	s := start(t)
	c := &http.Client{}
	defer c.CloseIdleConnections()
	for _, prompt := range []string{"hello", "script 1 2", "script 1 2 3 0 5 ", "script -1 2 3 4 5 "} {
		if status, body := ask(t, c, s.URL, prompt); status != http.StatusBadRequest || body == "" {
			t.Errorf("%q: %d %s", prompt, status, body)
		}
	}
}

func TestLogRoundTrip(t *testing.T) {
	log := []Served{{Index: 1, Received: 5, Writes: []int64{7, 9}, Due: []int64{6, 8}}, {Index: 2, Received: -1, Writes: []int64{}, Due: []int64{}}}
	var b bytes.Buffer
	if err := WriteLog(&b, log); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	got, err := ReadLog(bytes.NewReader(whole))
	if err != nil || len(got) != 2 || got[0].Writes[1] != 9 || got[0].Due[0] != 6 || got[1].Index != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, n := range []int{4, 30, 50} {
		if _, err := ReadLog(bytes.NewReader(whole[:n])); err == nil {
			t.Errorf("cut at %d: no error", n)
		}
	}
}

func TestScriptRoundTrip(t *testing.T) {
	want := Script{Index: 9, TTFT: 1500 * time.Microsecond, Gap: 20 * time.Millisecond, Events: 7, Jitter: 0.25}
	if got, err := parseScript([]byte(`{"messages":[{"content":"` + want.Prompt() + `"}]}`)); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}
