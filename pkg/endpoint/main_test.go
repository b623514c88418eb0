package endpoint

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/infbench/infbench/internal/rawnet"
)

func TestMain(m *testing.M) {
	_, _ = rawnet.StampAll() // a test's first request comes sooner after Open than a run's
	goleak.VerifyTestMain(m)
}
