package report

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSeconds(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want string
	}{
		{0, "0 s"},
		{math.NaN(), "—"},
		{math.Inf(1), "—"},
		{0.5e-6, "0.500 µs"},
		{2.87e-16, "0 s"},
		{1e-9, "0.001 µs"},
		{-4.04e-12, "0 s"},
		{999.6e-9, "1.00 µs"},
		{1e-6, "1.00 µs"},
		{12.345e-6, "12.3 µs"},
		{99.96e-6, "100 µs"},
		{999.4e-6, "999 µs"},
		{999.6e-6, "1.00 ms"},
		{1e-3, "1.00 ms"},
		{9.996e-3, "10.0 ms"},
		{0.4125, "412 ms"}, // half to even
		{0.0995, "99.5 ms"},
		{0.9994, "999 ms"},
		{0.9996, "1.00 s"},
		{1, "1.00 s"},
		{9.995, "9.99 s"}, // 9.995 is a little less in binary
		{59.96, "60.0 s"},
		{3600, "3600 s"},
		{3604, "3600 s"},
		{12345.6, "12300 s"},
		{-0.0123, "-12.3 ms"},
		{-0.9996, "-1.00 s"},
	} {
		if got := Seconds(c.in); got != c.want {
			t.Errorf("Seconds(%v) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want string
	}{
		{0, "0"}, {4, "4.00"}, {4.114, "4.11"}, {99.95, "100"}, {999.5, "1000"}, {1234, "1230"}, {12345, "12,300"},
		{1234567, "1,230,000"}, {0.00123, "0.00123"}, {math.NaN(), "—"}, {-5.678, "-5.68"},
	} {
		if got := number(c.in); got != c.want {
			t.Errorf("number(%v) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want string
	}{
		{0, "0%"}, {1, "100%"}, {0.5, "50.0%"}, {0.982, "98.2%"}, {0.9996, "99.96%"}, {0.99996, "99.996%"},
		{0.99999999, ">99.9999%"}, {0.0004, "0.04%"}, {1e-9, "<0.0001%"}, {math.NaN(), "—"}, {0.01, "1.0%"}, {1.2, "120.0%"},
	} {
		if got := percent(c.in); got != c.want {
			t.Errorf("percent(%v) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestCount(t *testing.T) {
	for in, want := range map[int64]string{0: "0", 9999: "9999", 12345: "12,345", 1234567: "1,234,567", -12345: "-12,345"} {
		if got := count(in); got != want {
			t.Errorf("count(%d) = %q, want %q", in, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for in, want := range map[time.Duration]string{0: "0s", time.Minute: "1m", 90 * time.Second: "1m30s", time.Hour: "1h", 800 * time.Millisecond: "800ms"} {
		if got := span(in); got != want {
			t.Errorf("span(%v) = %q, want %q", in, got, want)
		}
	}
}

func TestOptional(t *testing.T) {
	if got := optional(nil, Seconds); got != "—" {
		t.Errorf("a missing value reads %q", got)
	}
	if got := optional(new(0.0), Seconds); got != "0 s" {
		t.Errorf("a value of zero reads %q", got)
	}
}

// What is written is the value, to three significant digits or a nanosecond, in one of three units.
func TestSecondsReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := math.Pow(10, rapid.Float64Range(-9, 5).Draw(t, "exponent"))
		s := Seconds(v)
		text, unit, ok := strings.Cut(s, " ")
		f, err := strconv.ParseFloat(text, 64)
		scale, known := map[string]float64{"s": 1, "ms": 1e-3, "µs": 1e-6}[unit]
		if !ok || err != nil || !known {
			t.Fatalf("Seconds(%v) = %q", v, s)
		}
		if off := math.Abs(f*scale - v); off > 0.00501*v && off > 0.501e-9 {
			t.Fatalf("Seconds(%v) = %q, which is off by %v", v, s, off)
		}
		if (f >= 1000 && unit != "s") || (f < 1 && unit != "µs") {
			t.Fatalf("Seconds(%v) = %q: the wrong unit", v, s)
		}
	})
}
