package analyze

import "github.com/infbench/infbench/pkg/measure"

// Connections are the new connections of the measure phase, and what their parts took on average, in seconds: a part is
// absent where no connection had it. They are before a request is sent, and so in TTFT and in no service TTFT.
type Connections struct {
	New   int      `json:"new"`
	DNS   *float64 `json:"dns,omitempty"`
	TCP   *float64 `json:"tcp,omitempty"`
	Proxy *float64 `json:"proxy,omitempty"` // a proxy's connection on to the target
	TLS   *float64 `json:"tls,omitempty"`
}

// connectionFold sums them.
type connectionFold struct {
	made                 int
	dns, tcp, proxy, tls partFold
}

type partFold struct {
	seconds float64
	n       int
}

func (p *partFold) add(s measure.Stamp) bool {
	d, ok := s.Get()
	if ok {
		p.seconds += d.Seconds()
		p.n++
	}
	return ok
}

func (p *partFold) mean() *float64 {
	if p.n == 0 {
		return nil
	}
	mean := p.seconds / float64(p.n)
	return &mean
}

func (c *connectionFold) add(s *measure.Sample) {
	c.dns.add(s.SetUpDNS)
	c.proxy.add(s.SetUpProxy)
	c.tls.add(s.SetUpTLS)
	if c.tcp.add(s.SetUpTCP) {
		c.made++
	}
}

// result is nil without a connection whose parts are known: none was made, or the record is older than they are.
func (c *connectionFold) result() *Connections {
	if c.made == 0 {
		return nil
	}
	return &Connections{New: c.made, DNS: c.dns.mean(), TCP: c.tcp.mean(), Proxy: c.proxy.mean(), TLS: c.tls.mean()}
}
