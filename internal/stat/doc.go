// Package stat holds pure statistics: random numbers and elementary functions that give the same bits on every
// machine, and the figures computed from samples. It knows nothing of the rest of infbench.
//
// # Why not math.Log
//
// A schedule is promised to be the same on every machine: its SHA-256 stands in the run record, and shards on
// different hosts must agree on it. Package math does not keep that promise: several of its functions are assembly on
// some architectures and Go on others, and differ in the last bit. The compiler differs too: on arm64, ppc64le,
// s390x, riscv64 and amd64 with GOAMD64=v3 it may fuse x*y + z into one instruction that rounds once instead of
// twice. Therefore Log, Exp, SinTurns, CosTurns and LogGamma are written here from sums, products, quotients and exact
// operations only (IEEE 754 defines their result to the bit), and every product that meets a sum stands inside an
// explicit float64() conversion, which the language defines as the way to forbid fusing. Code that feeds a schedule
// or a prompt follows the same two rules; math.Sqrt, Floor, Ldexp and Frexp are exact everywhere and may be used.
package stat
