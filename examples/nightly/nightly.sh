#!/bin/sh
# One night: drives the candidate and the pinned baseline in interleaved blocks, gates the candidate by the policy, keeps the
# history, and leaves a report. GitHub, GitLab and Kubernetes all call this, so that what is tried by hand is what runs there.
#
#   examples/nightly/nightly.sh                 # flags are given to infbench run: --blocks 20, --set path=value
#
# It exits as infbench does:
#   0 pass    1 fail    4 cannot tell, also with twice the blocks: neither a pass nor a fail
#   2 a mistake in a file or a flag, or sides that do not compare    3 the measurement cannot be trusted
#   5 an endpoint or the disk failed    130 interrupted: the same call goes on where it was
set -u
here=$(cd "$(dirname "$0")" && pwd)

infbench=${INFBENCH:-infbench}
scenario=${SCENARIO:-$here/nightly.yaml}
policy=${POLICY:-$here/policy.yaml}
candidate=${CANDIDATE:-candidate} # the approaches' names in the scenario
baseline=${BASELINE:-pinned}
results=${RESULTS:-results}                 # keep this on a volume: an interrupted night goes on from it
night=${NIGHT:-$(date -u +%Y-%m-%d)}        # what this night is called: one folder each
history=${HISTORY:-$results/history}        # "none" keeps none, for pull requests
rerun=${RERUN---rerun}                      # when the gate cannot tell: as many blocks again, once; empty for none
suspect=${ACCEPT_SUSPECT:+--accept-suspect} # not empty: gate also what the load generator's own machine made suspect
github=${GITHUB_ACTIONS:+--github}          # GitHub sets it: annotations, too

out=$results/$night
report=$out/report.md
mkdir -p "$out" || exit 5

# A signal to this shell is handed to infbench, which ends what is in flight and keeps the record.
child=
interrupted=
pass_on() {
	interrupted=yes
	[ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}
trap pass_on INT TERM

# supervise COMMAND...: runs it so that signals reach it, and returns its exit code. A wait that a signal ends is taken up again.
supervise() {
	[ -z "$interrupted" ] || return 130
	"$@" &
	child=$!
	while :; do
		wait "$child"
		code=$?
		kill -0 "$child" 2>/dev/null || break
	done
	child=
	[ -z "$interrupted" ] || return 130
	return "$code"
}

# finish CODE: says how the night ended, in the file verdict and as the last line, and exits.
finish() {
	case $1 in
	0) verdict="pass" ;;
	1) verdict="fail" ;;
	2) verdict="error: a file or a flag is wrong, or the two do not compare" ;;
	3) verdict="not trusted: the measurement itself is in doubt" ;;
	4) verdict="cannot tell: neither a pass nor a fail" ;;
	130) verdict="interrupted: call it again to go on" ;;
	*) verdict="error: an endpoint or the disk failed" ;;
	esac
	if [ ! -s "$report" ]; then # no gate was reached: the report says why
		{
			printf '### infbench nightly: %s\n\n```\n' "$verdict"
			[ ! -s "$out/log" ] || tail -n 20 "$out/log"
			printf '```\n'
		} >"$report"
	fi
	printf '%s\n' "$verdict" >"$out/verdict"
	printf 'nightly %s: %s (%s)\n' "$night" "$verdict" "$report"
	exit "$1"
}

# measure DIR FLAGS...: drives all blocks into DIR, or those that an interrupted night left. What the run itself finds of the
# SLO (1, 4) is for the policy to judge.
measure() {
	dir=$1
	shift
	[ ! -e "$dir.complete" ] || return 0
	if [ -e "$dir/manifest.json" ]; then
		set -- --resume "$dir" "$@"
	else
		set -- --out "$dir" "$@"
	fi
	# shellcheck disable=SC2086 # suspect is one flag or none
	supervise "$infbench" run "$scenario" --quiet $suspect "$@" >"$out/log" 2>&1
	code=$?
	cat "$out/log"
	case $code in
	0 | 1 | 4) : >"$dir.complete" ;;
	3) # nothing of it can be used: another try starts anew
		[ ! -d "$dir" ] || mv "$dir" "$dir.untrusted-$(date -u +%H%M%S)"
		finish 3
		;;
	137 | 143) finish 130 ;; # it was killed: the record is kept
	*) finish "$code" ;;
	esac
}

# gate DIR: holds the candidate against the baseline, and where it cannot tell lets the run grow once: infbench then divides the
# error among the two looks. Returns 0, 1 or 4; all else ends the night.
gate() {
	# shellcheck disable=SC2086
	supervise "$infbench" check "$1:$candidate" --baseline "$1:$baseline" --policy "$policy" $suspect $github $rerun --quiet \
		--markdown "$report" --junit "$out/check.xml" --json "$out/check.json" >"$out/log" 2>&1
	code=$?
	cat "$out/log"
	case $code in
	0 | 1 | 4) return "$code" ;;
	137 | 143) finish 130 ;; # it was killed: the same call goes on with the rerun
	*) finish "$code" ;;
	esac
}

rm -f "$report" "$out/verdict" "$out/check.xml" "$out/check.json" # of an earlier try: none may pass for this one's
run=$out/run
measure "$run" "$@"
gate "$run"
code=$?
if [ "$history" != none ] && [ ! -e "$run.kept" ]; then
	if "$infbench" history add "$history" "$run" && "$infbench" history "$history" --out "$out" >"$out/history.txt"; then # and $out/history.html
		: >"$run.kept"
	else # said beside the gate's verdict, which it must not hide; only after a pass it is the night's own
		kept=$?
		printf '\nThe history was not kept: infbench history ended with %s. The verdict above is that of the gate.\n' "$kept" >>"$report"
		echo "nightly $night: the history was not kept (infbench history ended with $kept)" >&2
		[ "$code" != 0 ] || code=$kept
	fi
fi
finish "$code"
