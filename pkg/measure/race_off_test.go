//go:build !race

package measure

// raceDetector is whether the tests run under it, which makes arithmetic ten times slower.
const raceDetector = false
