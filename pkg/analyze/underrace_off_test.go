//go:build !race

package analyze

// underRace is whether the tests run under the race detector, which makes arithmetic ten times slower.
const underRace = false
