package memnet

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestHTTPInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Listen()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Hour)
			io.WriteString(w, "late")
		})}
		go srv.Serve(l)
		tr := &http.Transport{DialContext: l.Dial}
		start := time.Now()
		res, err := (&http.Client{Transport: tr}).Get("http://mem/")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || string(b) != "late" || time.Since(start) != time.Hour {
			t.Errorf("%q, %v after %s", b, err, time.Since(start))
		}
		tr.CloseIdleConnections()
		srv.Close()
	})
}

func TestCloseDeliversWhatWasWritten(t *testing.T) {
	a, b := Pipe()
	a.Write([]byte("last words"))
	a.Close()
	got, err := io.ReadAll(b)
	if string(got) != "last words" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := b.Write([]byte("x")); err == nil {
		t.Error("writing to a closed peer succeeded")
	}
	if _, err := a.Read(make([]byte, 1)); err == nil {
		t.Error("reading after Close succeeded")
	}
}

func TestReadDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		defer a.Close()
		defer b.Close()
		b.SetReadDeadline(time.Now().Add(time.Second))
		start := time.Now()
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		b.SetReadDeadline(time.Time{})
		a.Write([]byte("x"))
		if n, err := b.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("after the deadline was lifted: %d, %v", n, err)
		}
	})
}

func TestDialAfterClose(t *testing.T) {
	l := Listen()
	l.Close()
	if _, err := l.Dial(context.Background(), "", ""); err == nil {
		t.Error("dialled a closed listener")
	}
}
