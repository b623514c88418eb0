package workload

import "flag"

// update rewrites golden files: go test ./pkg/workload -update.
var update = flag.Bool("update", false, "rewrite the golden files")
