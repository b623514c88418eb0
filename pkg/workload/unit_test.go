package workload

import (
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	cases := []struct {
		text, canonical string
		want            time.Duration
	}{
		{"30s", "30s", 30 * time.Second},
		{"500ms", "500ms", 500 * time.Millisecond},
		{"1h30m", "1h30m", 90 * time.Minute},
		{"90m", "1h30m", 90 * time.Minute},
		{"2h", "2h", 2 * time.Hour},
		{"120s", "2m", 2 * time.Minute},
		{"1.5s", "1.5s", 1500 * time.Millisecond},
		{".5m", "30s", 30 * time.Second},
		{"+3s", "3s", 3 * time.Second},
		{"15us", "15us", 15 * time.Microsecond},
		{"15µs", "15us", 15 * time.Microsecond},
		{"7ns", "7ns", 7},
		{"0s", "0s", 0},
		{"0h", "0s", 0},
		{"10m0.5s", "10m0.5s", 10*time.Minute + 500*time.Millisecond},
		{"2562047h47m16.854775807s", "2562047h47m16.854775807s", math.MaxInt64},
	}
	for _, c := range cases {
		var d Duration
		if err := d.UnmarshalText([]byte(c.text)); err != nil || d.D() != c.want {
			t.Errorf("%s: %v, %v, want %v", c.text, d.D(), err, c.want)
		}
		if text, err := d.MarshalText(); err != nil || string(text) != c.canonical {
			t.Errorf("%s is written %s, %v, want %s", c.text, text, err, c.canonical)
		}
	}
}

func TestRates(t *testing.T) {
	cases := []struct {
		text, canonical string
		want            Rate
	}{
		{"4/s", "4/s", 4},
		{"240/min", "4/s", 4},
		{"90/min", "1.5/s", 1.5},
		{"1/min", "1/min", 1.0 / 60},
		{"1000/h", "1000/h", 1000.0 / 3600},
		{"0.5/s", "0.5/s", 0.5},
		{".5/s", "0.5/s", 0.5},
		{" 4 / s ", "4/s", 4},
		{"1e3/s", "1000/s", 1000},
		{"0/h", "0/s", 0},
		{"1e-9/s", "1e-09/s", 1e-9},
	}
	for _, c := range cases {
		var r Rate
		if err := r.UnmarshalText([]byte(c.text)); err != nil || r != c.want {
			t.Errorf("%q: %v, %v, want %v", c.text, float64(r), err, float64(c.want))
		}
		if text, err := r.MarshalText(); err != nil || string(text) != c.canonical {
			t.Errorf("%q is written %s, %v, want %s", c.text, text, err, c.canonical)
		}
	}
}

// TestUnitErrors: what is no duration or no rate gets what was found and what to write instead.
func TestUnitErrors(t *testing.T) {
	const duration, rate = "durations carry a unit: 30s, 500ms, 2m, 1h30m", "rates carry a unit: 4/s, 240/min, 1000/h"
	cases := []struct{ kind, text, want string }{
		{"duration", "30", "30 has no unit: durations carry a unit: write 30s, 30ms or 30m"},
		{"duration", "0", "0 has no unit: durations carry a unit: write 0s, 0ms or 0m"},
		{"duration", "1.5", "1.5 has no unit: durations carry a unit: write 1.5s, 1.5ms or 1.5m"},
		{"duration", "", `"" is not a duration: ` + duration},
		{"duration", "s", `"s" is not a duration: ` + duration},
		{"duration", "-3s", "-3s is negative: give a duration of 0s or more"},
		{"duration", "-0s", "-0s is negative: give a duration of 0s or more"},
		{"duration", "30 s", "\"30 s\" is not a duration: did you mean `30s`?"},
		{"duration", "30S", "\"30S\" is not a duration: did you mean `30s`?"},
		{"duration", "2 minutes", "\"2 minutes\" is not a duration: did you mean `2m`?"},
		{"duration", "2hrs", "\"2hrs\" is not a duration: did you mean `2h`?"},
		{"duration", "5 msec", "\"5 msec\" is not a duration: did you mean `5ms`?"},
		{"duration", "2d", `"2d" is not a duration: the longest unit is h: write 48h`},
		{"duration", "4/s", `"4/s" is not a duration: this is a rate; ` + duration},
		{"duration", "1h 30m", `"1h 30m" is not a duration: ` + duration},
		{"duration", "9999999h", `"9999999h" is not a duration: did you mean ` + "`9999999h`?"},
		{"duration", "1e3s", `"1e3s" is not a duration: ` + duration},
		{"duration", "NaNs", `"NaNs" is not a duration: ` + duration},
		{"rate", "4", "4 has no unit: rates carry a unit: write 4/s, 4/min or 4/h"},
		{"rate", "", `"" is not a rate: ` + rate},
		{"rate", "/s", `"/s" is not a rate: ` + rate},
		{"rate", "many/s", `"many/s" is not a rate: ` + rate},
		{"rate", "0x10/s", `"0x10/s" is not a rate: ` + rate},
		{"rate", "1_000/s", `"1_000/s" is not a rate: ` + rate},
		{"rate", "NaN/s", `"NaN/s" is not a rate: ` + rate},
		{"rate", "inf/s", `"inf/s" is not a rate: ` + rate},
		{"rate", "1e999/s", `"1e999/s" is too large a number: ` + rate},
		{"rate", "-1/s", "-1/s is negative: give a rate of 0/s or more"},
		{"rate", "-0/s", "-0/s is negative: give a rate of 0/s or more"},
		{"rate", "4/sec", "\"4/sec\" has an unknown unit: did you mean `4/s`?"},
		{"rate", "4/m", "\"4/m\" has an unknown unit: did you mean `4/min`?"},
		{"rate", "4/day", `"4/day" has an unknown unit: ` + rate},
		{"rate", "4/", `"4/" has an unknown unit: ` + rate},
		{"rate", strings.Repeat("9", 200) + "x", `"` + strings.Repeat("9", 60) + `..." is not a rate: ` + rate},
	}
	for _, c := range cases {
		var err error
		if c.kind == "duration" {
			err = new(Duration).UnmarshalText([]byte(c.text))
		} else {
			err = new(Rate).UnmarshalText([]byte(c.text))
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("%s %q\ngot  %v\nwant %s", c.kind, c.text, err, c.want)
		}
	}
}

// FuzzDuration: what is read is written so that it is read as the same again, and the schema knows its form.
func FuzzDuration(f *testing.F) {
	for _, text := range []string{"30s", "1h30m", "1.5ms", "15µs", "-0s", "0", "30 seconds", "2d", "+.5h"} {
		f.Add(text)
	}
	form := regexp.MustCompile("^" + durationForm + "$")
	f.Fuzz(func(t *testing.T, text string) {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil {
			checkUnitError(t, err)
			return
		}
		if d < 0 || !form.MatchString(text) {
			t.Errorf("%q is read as %v; the schema takes it: %t", text, d, form.MatchString(text))
		}
		var again Duration
		if err := again.UnmarshalText([]byte(d.String())); err != nil || again != d {
			t.Errorf("%q is written %q and read as %v, %v", text, d, again.D(), err)
		}
	})
}

// FuzzRate: what is read is written so that it is read as the same to the bit again, and the schema knows its form.
func FuzzRate(f *testing.F) {
	for _, text := range []string{"4/s", "240/min", "1000/h", " 1e-3 / s", "-0/s", "7", "4/sec", ".1/h", "1e308/s", "\v0/s", "1\u00a0/s", "1/s\n"} {
		f.Add(text)
	}
	form := regexp.MustCompile("^" + rateForm + "$")
	f.Fuzz(func(t *testing.T, text string) {
		var r Rate
		if err := r.UnmarshalText([]byte(text)); err != nil {
			checkUnitError(t, err)
			return
		}
		if !(r >= 0) || math.IsInf(float64(r), 0) || !form.MatchString(text) {
			t.Errorf("%q is read as %v; the schema takes it: %t", text, float64(r), form.MatchString(text))
		}
		var again Rate
		if err := again.UnmarshalText([]byte(r.String())); err != nil || again != r {
			t.Errorf("%q is written %q and read as %v, %v", text, r, float64(again), err)
		}
	})
}

func checkUnitError(t *testing.T, err error) {
	t.Helper()
	var parts *unitError
	if !errors.As(err, &parts) || parts.Problem() == "" || parts.Remedy() == "" || len(err.Error()) > 600 {
		t.Errorf("%T: %v", err, err)
	}
}
