#!/bin/sh
# history.sh fetch|push DIR: keeps a folder as the branch infbench-history of the repository, where it outlives caches and
# artifacts and every change of it stays. The first fetch makes the branch.
set -eu
branch=${HISTORY_BRANCH:-infbench-history}
dir=$2
case $1 in
fetch)
	if git ls-remote --exit-code origin "refs/heads/$branch" >/dev/null; then
		git fetch --quiet --depth 1 origin "$branch"
		git worktree add --quiet --force -B "$branch" "$dir" FETCH_HEAD
	else
		code=$?
		[ "$code" = 2 ] || exit "$code" # 2: there is no such branch; all else: it could not be asked
		git worktree add --quiet --force --detach "$dir"
		git -C "$dir" checkout --quiet --orphan "$branch"
		git -C "$dir" rm --quiet -r -f .
	fi
	;;
push)
	git -C "$dir" add --all
	git -C "$dir" diff --cached --quiet && exit 0 # the night left nothing: it was not trusted
	git -C "$dir" -c user.name=infbench -c user.email=infbench@localhost commit --quiet --message "Night of $(date -u +%Y-%m-%d)"
	git -C "$dir" push --quiet origin "HEAD:refs/heads/$branch"
	;;
*)
	echo "usage: history.sh fetch|push DIR" >&2
	exit 2
	;;
esac
