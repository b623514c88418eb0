package measure

import (
	"bytes"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// host reads what Linux tells about the machine and the process below /proc and /sys. On other systems, and where a
// file is missing, every answer is "unknown": 0.
type host struct{ root string }

var thisHost = host{root: "/"}

func (h host) read(name string) string {
	b, err := os.ReadFile(filepath.Join(h.root, name))
	if err != nil {
		return ""
	}
	return string(b)
}

// number reads a file that holds one integer; anything else (missing, "max") is not ok.
func (h host) number(name string) (n int64, ok bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(h.read(name)), 10, 64)
	return n, err == nil
}

// coreWait sums, over the threads of the process, how long each stood in a run queue: the second field of schedstat
// (Documentation/scheduler/sched-stats.rst of the kernel).
func (h host) coreWait() (sum time.Duration) {
	tasks, _ := filepath.Glob(filepath.Join(h.root, "proc/self/task/*/schedstat"))
	for _, t := range tasks {
		b, err := os.ReadFile(t)
		if fields := bytes.Fields(b); err == nil && len(fields) >= 2 {
			ns, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}

// steal is the eighth figure of the cpu line of /proc/stat, in ticks of 10 ms.
func (h host) steal() time.Duration {
	line, _, _ := strings.Cut(h.read("proc/stat"), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0
	}
	n, _ := strconv.ParseInt(fields[8], 10, 64)
	return time.Duration(n) * 10 * time.Millisecond
}

// files counts the open descriptors: since Linux 6.2 the size of the folder tells it, before that its entries.
func (h host) files() int {
	name := filepath.Join(h.root, "proc/self/fd")
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	if info.Size() > 0 {
		return int(info.Size())
	}
	f, err := os.Open(name)
	if err != nil {
		return 0
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	return max(0, len(names)-1) // without the one that reads
}

// sockets counts TCP sockets in use and in TIME_WAIT, which hold on to their ports.
func (h host) sockets() (n int) {
	for line := range strings.Lines(h.read("proc/net/sockstat")) {
		rest, ok := strings.CutPrefix(line, "TCP:")
		fields := strings.Fields(rest)
		for i := 0; ok && i+1 < len(fields); i += 2 {
			if fields[i] == "inuse" || fields[i] == "tw" {
				v, _ := strconv.Atoi(fields[i+1])
				n += v
			}
		}
	}
	return n
}

// ports is how many local ports outgoing connections may take.
func (h host) ports() int {
	fields := strings.Fields(h.read("proc/sys/net/ipv4/ip_local_port_range"))
	if len(fields) != 2 {
		return 0
	}
	lo, _ := strconv.Atoi(fields[0])
	hi, _ := strconv.Atoi(fields[1])
	return max(0, hi-lo+1)
}

// cgroups lists the folders of the process's control group and those above it, for a controller of version 1, or for
// version 2, whichever this machine has. Inside a container the mount shows only the part from the container's own group
// down, which mountinfo tells (man 7 cgroups, man 5 proc_pid_mountinfo).
func (h host) cgroups(controller string) []string {
	for line := range strings.Lines(h.read("proc/self/mountinfo")) {
		left, right, _ := strings.Cut(strings.TrimSpace(line), " - ")
		mount, fs := strings.Fields(left), strings.Fields(right)
		if len(mount) < 5 || len(fs) < 3 {
			continue
		}
		var own string
		var ok bool
		switch {
		case fs[0] == "cgroup" && hasWord(fs[2], controller):
			own, ok = h.group(controller)
		case fs[0] == "cgroup2" && h.controls(mount[4], controller):
			own, ok = h.group("")
		}
		if !ok {
			continue
		}
		rel, found := strings.CutPrefix(own, strings.TrimSuffix(mount[3], "/"))
		if !found {
			rel = "" // a group outside of what the mount shows: its top is the nearest
		}
		var out []string
		for rel = path.Clean("/" + rel); ; rel = path.Dir(rel) {
			out = append(out, path.Join(mount[4], rel))
			if rel == "/" {
				return out
			}
		}
	}
	return nil
}

// controls tells whether a tree of version 2 has a controller: on machines with both versions it may have none.
func (h host) controls(mount, controller string) bool {
	return hasWord(strings.Join(strings.Fields(h.read(path.Join(mount, "cgroup.controllers"))), ","), controller)
}

func hasWord(list, word string) bool {
	return strings.Contains(","+list+",", ","+word+",")
}

// group is the path of the process's group for a controller; the empty controller stands for version 2.
func (h host) group(controller string) (string, bool) {
	for line := range strings.Lines(h.read("proc/self/cgroup")) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 && (controller == "" && parts[1] == "" || controller != "" && hasWord(parts[1], controller)) {
			return parts[2], true
		}
	}
	return "", false
}

// quota is how many cores the control groups let the process use, 0 without a limit.
func (h host) quota() float64 {
	least := math.Inf(1)
	for _, dir := range h.cgroups("cpu") {
		limit, period, _ := strings.Cut(strings.TrimSpace(h.read(path.Join(dir, "cpu.max"))), " ")
		if limit == "" {
			limit, period = h.read(path.Join(dir, "cpu.cfs_quota_us")), h.read(path.Join(dir, "cpu.cfs_period_us"))
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(limit), 64)
		p, perr := strconv.ParseFloat(strings.TrimSpace(period), 64)
		if err == nil && perr == nil && q > 0 && p > 0 { // "max" and -1 are no limit
			least = math.Min(least, q/p)
		}
	}
	if math.IsInf(least, 1) {
		return 0
	}
	return least
}

// throttled counts the periods in which a quota stopped one of these control groups.
func (h host) throttled(groups []string) (n int64) {
	for _, dir := range groups {
		for line := range strings.Lines(h.read(path.Join(dir, "cpu.stat"))) {
			if v, ok := strings.CutPrefix(line, "nr_throttled "); ok {
				k, _ := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
				n += k
			}
		}
	}
	return n
}

// memory is how many bytes the process may still take: what the machine has available, or what is left of a control
// group's limit.
func (h host) memory() int64 {
	kb, _, _ := strings.Cut(field(h.read("proc/meminfo"), "MemAvailable"), " ")
	n, _ := strconv.ParseInt(kb, 10, 64)
	free := n * 1024
	for _, dir := range h.cgroups("memory") {
		for _, names := range [][2]string{{"memory.max", "memory.current"}, {"memory.limit_in_bytes", "memory.usage_in_bytes"}} {
			limit, ok := h.number(path.Join(dir, names[0]))
			used, _ := h.number(path.Join(dir, names[1]))
			if ok && (free == 0 || limit-used < free) {
				free = max(0, limit-used)
			}
		}
	}
	return free
}
