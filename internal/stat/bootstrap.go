package stat

import (
	"fmt"
	"math"
	"slices"
)

// leastBlocks is the smallest number of blocks of Bootstrap: fewer resample into too few different sets.
const leastBlocks = 5

// Bootstrap is the percentile interval of a statistic of blocks (Efron, 1979): the blocks are drawn anew with replacement,
// `draws` times, and the interval is between the (draws+1)(1-confidence)/2-th smallest of the statistics and the same from
// above, in a straight line between two ranks (Davison and Hinkley, 1997, section 5.3). The unit that is drawn is the block,
// never the request within it: requests of one run depend on each other.
//
// statistic gets a slice that it may put in order but not keep. The interval is a function of the seed. Over few blocks it is
// too narrow (by about sqrt((n-1)/n), and more): the t interval of Paired is the one to gate on. It fails below 5 blocks, with
// too few draws for the confidence, and where the statistic is not finite.
func Bootstrap[T any](blocks []T, statistic func([]T) float64, draws int, seed uint64, confidence float64) (Interval, error) {
	if err := checkShare("the confidence", confidence); err != nil {
		return Interval{}, err
	}
	if len(blocks) < leastBlocks {
		return Interval{}, fmt.Errorf("bootstrap: %w: %d blocks, at least %d are needed", ErrTooFew, len(blocks), leastBlocks)
	}
	rank := float64(draws+1) * (1 - confidence) / 2
	if rank < 1 {
		return Interval{}, fmt.Errorf("bootstrap: %d draws are too few for a confidence of %v: at least %.0f are needed", draws, confidence, math.Ceil(2/(1-confidence))-1)
	}
	random, drawn, values := Keyed(seed, "bootstrap", 0), make([]T, len(blocks)), make([]float64, draws)
	for i := range values {
		for j := range drawn {
			drawn[j] = blocks[random.IntN(len(blocks))]
		}
		values[i] = statistic(drawn)
		if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
			return Interval{}, fmt.Errorf("bootstrap: the statistic of a resample is %v", values[i])
		}
	}
	slices.Sort(values)
	return Interval{atRank(values, rank), atRank(values, float64(draws+1)-rank)}, nil
}

// atRank is the value of a rank from 1 to len(sorted), in a straight line between two.
func atRank(sorted []float64, rank float64) float64 {
	i := min(max(int(rank), 1), len(sorted))
	low, high := sorted[i-1], sorted[min(i, len(sorted)-1)]
	if low == high {
		return low
	}
	return low + (rank-float64(i))*(high-low)
}
