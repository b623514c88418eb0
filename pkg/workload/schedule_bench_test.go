package workload

import "testing"

// BenchmarkNewSchedule makes 10^6 arrivals, with the cheapest and the dearest inverse.
func BenchmarkNewSchedule(b *testing.B) {
	shapes := []Shape{{Constant: &ConstantShape{}}, {Diurnal: &Diurnal{Period: sec(100), Amplitude: 0.5}}}
	for _, burst := range goldenFamilies() {
		for _, shape := range shapes {
			b.Run(shape.String()+"/"+burst.String(), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := NewSchedule(&Scenario{Phases: Phases{Measure: sec(1000)}, Arrivals: Arrivals{Rate: 1000, Shape: &shape, Burst: &burst}}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
