package measure

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// fakeHost is a machine made of files.
func fakeHost(t *testing.T, files map[string]string) host {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return host{root: root}
}

// The forms of man 7 cgroups and man 5 proc_pid_mountinfo: version 1, version 2, both at once (hybrid), and a container
// whose mount shows only its own part of the tree.
func TestQuotaIsTheTightestOfTheGroups(t *testing.T) {
	for name, c := range map[string]struct {
		files     map[string]string
		quota     float64
		throttled int64
		memory    int64
	}{
		"version 1": {map[string]string{
			"proc/self/mountinfo": "30 20 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n31 20 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
			"proc/self/cgroup":    "4:cpu,cpuacct:/jobs/a\n3:memory:/jobs\n",
			"sys/fs/cgroup/cpu,cpuacct/jobs/a/cpu.cfs_quota_us":  "150000\n",
			"sys/fs/cgroup/cpu,cpuacct/jobs/a/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/jobs/a/cpu.stat":          "nr_periods 10\nnr_throttled 3\nthrottled_time 99\n",
			"sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us":    "-1\n",
			"sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us":   "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/jobs/cpu.stat":            "nr_periods 0\nnr_throttled 2\n",
			"sys/fs/cgroup/memory/jobs/memory.limit_in_bytes":    "1000000\n",
			"sys/fs/cgroup/memory/jobs/memory.usage_in_bytes":    "400000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":         "9223372036854771712\n",
			"sys/fs/cgroup/memory/memory.usage_in_bytes":         "400000\n",
			"proc/meminfo": "MemTotal: 8000 kB\nMemAvailable:    4000 kB\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":          "-1\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us":         "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/other/a/cpu.cfs_quota_us":  "10000\n",
			"sys/fs/cgroup/cpu,cpuacct/other/a/cpu.cfs_period_us": "100000\n",
		}, 1.5, 5, 600_000},
		"version 2, the tighter above": {map[string]string{
			"proc/self/mountinfo":                              "25 1 0:23 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
			"proc/self/cgroup":                                 "0::/system.slice/bench.service\n",
			"sys/fs/cgroup/cgroup.controllers":                 "cpuset cpu io memory\n",
			"sys/fs/cgroup/system.slice/cpu.max":               "50000 100000\n",
			"sys/fs/cgroup/system.slice/memory.max":            "max\n",
			"sys/fs/cgroup/system.slice/cpu.stat":              "usage_usec 1\nnr_throttled 7\nthrottled_usec 5\n",
			"sys/fs/cgroup/system.slice/bench.service/cpu.max": "200000 100000\n",
		}, 0.5, 7, 0},
		"hybrid: version 2 without controllers": {map[string]string{
			"proc/self/mountinfo":                      "40 1 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n41 1 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
			"proc/self/cgroup":                         "1:cpu:/\n0::/\n",
			"sys/fs/cgroup/unified/cgroup.controllers": "\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us":       "-1\n",
			"sys/fs/cgroup/cpu/cpu.cfs_period_us":      "100000\n",
		}, 0, 0, 0},
		"a container's part of version 1": {map[string]string{
			"proc/self/mountinfo":                 "50 1 0:31 /docker/0123 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n",
			"proc/self/cgroup":                    "1:cpu:/docker/0123\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us":  "25000\n",
			"sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu/cpu.stat":          "nr_throttled 1\n",
		}, 0.25, 1, 0},
		"no Linux": {map[string]string{}, 0, 0, 0},
	} {
		h := fakeHost(t, c.files)
		if q := h.quota(); q != c.quota {
			t.Errorf("%s: quota %v, want %v", name, q, c.quota)
		}
		if n := h.throttled(h.cgroups("cpu")); n != c.throttled {
			t.Errorf("%s: throttled %d, want %d", name, n, c.throttled)
		}
		if m := h.memory(); m != c.memory {
			t.Errorf("%s: memory %d, want %d", name, m, c.memory)
		}
	}
}

func TestHostFigures(t *testing.T) {
	h := fakeHost(t, map[string]string{
		"proc/self/task/1/schedstat":            "100 2000000 3\n",
		"proc/self/task/7/schedstat":            "5 500000 3\n",
		"proc/stat":                             "cpu  1 2 3 4 5 6 7 250 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n",
		"proc/net/sockstat":                     "sockets: used 300\nTCP: inuse 20 orphan 1 tw 300 alloc 40 mem 2\nUDP: inuse 5 mem 0\n",
		"proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
	})
	if d := h.coreWait(); d != 2500*time.Microsecond {
		t.Errorf("core wait %v", d)
	}
	if d := h.steal(); d != 2500*time.Millisecond {
		t.Errorf("steal %v", d)
	}
	if n := h.sockets(); n != 320 {
		t.Errorf("sockets %d", n)
	}
	if n := h.ports(); n != 28232 {
		t.Errorf("ports %d", n)
	}
}

// On a real Linux the figures are there, and follow what the process does.
func TestThisHost(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		t.Skip("skipped: needs Linux with schedstat")
	}
	l := ThisLimits()
	if l.Cores <= 0 || l.Files < 3 || l.Ports < 1 || l.Memory < 1 {
		t.Errorf("limits %+v", l)
	}
	before := thisHost.files()
	var open []*os.File
	for range 20 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, f)
	}
	if n := thisHost.files(); n < before+20-5 { // other tests of the process may close some
		t.Errorf("%d descriptors, before 20 more were opened %d", n, before)
	}
	for _, f := range open {
		f.Close()
	}
}
