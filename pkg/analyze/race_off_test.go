//go:build !race

package analyze_test

// raceDetector is whether the tests run under it, which makes arithmetic ten times slower.
const raceDetector = false
