# What the scripts that run a real inference server have in common; they source it. They set name (of the script), dir (a
# folder of their own), program (the path by which the server is run) and health (a path, and a part of its answer), and
# have the functions install, installed, version, launch and url.

log=$dir/server.log
state=$dir/server.pid # "PID PORT" of the server that start left running
model=$dir/small.gguf

say() { echo "$name: $*" >&2; }
die() {
	say "$@"
	exit 1
}

# One of us at a time. The server itself must not inherit the lock: launch closes 9.
lock() {
	mkdir -p "$dir" || exit 1
	command -v flock >/dev/null || die "flock is missing (Debian package util-linux)"
	exec 9>"$dir/lock"
	flock -w 600 9 || die "another scripts/$name has held $dir/lock for ten minutes"
}

make_model() {
	if [[ -s $model && -z $(find internal/gguf pkg/workload/words.txt -newer "$model") ]]; then
		return
	fi
	command -v go >/dev/null || die "go is missing: the model is written by a Go program of ours"
	go run ./internal/gguf/mkmodel --output "$model" >&2
}

# running sets pid and port if the server that we started is alive, and is no other process that got its number.
running() {
	pid='' port=''
	[[ -s $state ]] && read -r pid port <"$state" && [[ -r /proc/$pid/cmdline ]] &&
		tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF "$program"
}

# taken PORT: two servers can share one port without a word, and then each gets a part of the requests.
taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# get PORT PATH prints an answer, its headers included.
get() {
	timeout 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET %s HTTP/1.0\r\n\r\n" "$2" >&3 && cat <&3' get "$1" "$2" 2>/dev/null
}

answers() { [[ $(get "$1" "${health%% *}") == *"${health#* }"* ]]; }

# bound PID PATTERN waits until the server's log says what port it has; the pattern's group is the port.
bound() {
	local i
	for ((i = 0; i < 600; i++)); do
		port=$(sed -nE "s#.*$2.*#\\1#p" "$log" | head -n 1)
		[[ -z $port ]] || return 0
		kill -0 "$1" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

# healthy PID PORT waits until the server answers.
healthy() {
	local i
	for ((i = 0; i < 600; i++)); do
		answers "$2" && return 0
		kill -0 "$1" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

# already PORT prints where the server runs already, if it does; PORT is the one that is wanted, or empty.
already() {
	running || return 1
	[[ -z $1 || $1 == "$port" ]] || die "runs already at $(url "$port"), not on port $1: stop it first"
	say "runs already (process $pid)"
	url "$port"
}

stop() {
	if ! running; then
		rm -f "$state"
		say "does not run"
		return
	fi
	local i signal
	for signal in TERM KILL; do
		kill -s "$signal" "$pid" 2>/dev/null || true
		for ((i = 0; i < 100; i++)); do
			if ! running; then
				rm -f "$state"
				say "stopped"
				return
			fi
			sleep 0.1
		done
		say "process $pid does not end on SIG$signal"
	done
	exit 1
}

status() {
	if installed; then
		say "installed in $dir: $(version)"
	else
		say "not installed"
	fi
	running || die "does not run"
	answers "$port" || die "process $pid runs, but does not answer on port $port"
	say "runs (process $pid)"
	url "$port"
}

# command_line NAME runs one of the commands; usage says which there are.
command_line() {
	case ${1:-} in
	install | start | stop)
		lock
		"$1"
		;;
	model)
		lock
		make_model
		;;
	status) status ;;
	help | -h | --help) usage ;;
	*)
		usage >&2
		exit 2
		;;
	esac
}
