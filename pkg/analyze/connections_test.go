package analyze

import (
	"math"
	"testing"
	"time"

	"github.com/infbench/infbench/pkg/measure"
)

// Each part is averaged over the connections that had it, and a record that knows none says nothing.
func TestConnections(t *testing.T) {
	var c connectionFold
	c.add(&measure.Sample{Connected: measure.At(time.Second)})
	if got := c.result(); got != nil {
		t.Errorf("%+v", got)
	}
	ms := func(n time.Duration) measure.Stamp { return measure.At(n * time.Millisecond) }
	c.add(&measure.Sample{SetUpDNS: ms(4), SetUpTCP: ms(1), SetUpTLS: ms(6)})
	c.add(&measure.Sample{SetUpTCP: ms(3), SetUpTLS: ms(8)})
	got := c.result()
	if got.New != 2 || got.Proxy != nil || math.Abs(*got.DNS-0.004)+math.Abs(*got.TCP-0.002)+math.Abs(*got.TLS-0.007) > 1e-12 {
		t.Errorf("%+v", got)
	}
}
