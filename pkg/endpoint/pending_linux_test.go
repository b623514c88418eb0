package endpoint

import (
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/infbench/infbench/pkg/workload"
)

// busyListener is a listener whose queue is full: the kernel drops what else connects until room is made, and the client
// tries again a second later. Connections to this machine are made at once otherwise.
func busyListener(t *testing.T) (l net.Listener, room func()) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0))
	}
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	l, err = net.FileListener(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var waiting []net.Conn
	for {
		c, err := net.DialTimeout("tcp", l.Addr().String(), 100*time.Millisecond)
		if err != nil {
			break
		}
		waiting = append(waiting, c)
	}
	if len(waiting) == 0 {
		t.Fatal("the queue takes nothing")
	}
	return l, func() {
		for _, c := range waiting {
			c.Close()
			if c, err := l.Accept(); err == nil {
				c.Close()
			}
		}
	}
}

// A connection that is not made at once is waited for, at most for the connect timeout.
func TestConnectionThatIsPending(t *testing.T) {
	l, room := busyListener(t)
	url := "http://" + l.Addr().String() + "/v1"
	hasty := onLoopback(t, url, func(c *Config) {
		c.Approach.Timeouts = workload.Timeouts{Connect: workload.Duration(20 * time.Millisecond)}
	})
	if r := hasty.Do(t.Context(), &testRequest, &events{}); r.Class != TimeoutConnect || !strings.Contains(r.Error, "20ms") {
		t.Errorf("a server that does not accept: %s %q", r.Class, r.Error)
	}
	patient := onLoopback(t, url, nil)
	dialled := make(chan struct{})
	result := make(chan Result)
	obs := &tellDial{dialled: dialled}
	go func() { result <- patient.Do(t.Context(), &testRequest, obs) }()
	<-dialled
	room()
	s := &http.Server{Handler: http.HandlerFunc(streamHandler), ReadHeaderTimeout: time.Minute}
	go s.Serve(l)
	if r := <-result; r.Class != OK || !r.NewConnection {
		t.Errorf("a server that accepts late: %s %q", r.Class, r.Error)
	}
	s.Close()
}

// tellDial closes a channel when a connection is begun.
type tellDial struct {
	events
	dialled chan struct{}
}

func (d *tellDial) Observe(e Event) {
	d.events.Observe(e)
	if e.Kind == ConnectStart {
		close(d.dialled)
	}
}
