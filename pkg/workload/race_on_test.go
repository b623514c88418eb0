//go:build race

package workload

// raceDetector is whether the tests run under it, which makes arithmetic ten times slower.
const raceDetector = true
