#!/usr/bin/env bash
# Runs Paperboy once, with its data on a branch of a git repository: read the sources, post new papers, end.
#
#   run.sh SUBSCRIPTIONS        a file for `paperboy subscribe`, with the channels and their queries
#
# BRANCH is the branch (paperboy-state), REMOTE the repository (origin), PAPERBOY the program (paperboy).
#
# The list of posts is pushed to the branch before the first post. If a run is cut off after that, the next one asks the platform
# which posts were made; if the platform can't say, they are held for `paperboy deliveries`, not repeated.
# Only one run can push that list, because the push fails if the branch has changed since this run read it.
set -euo pipefail

subscriptions=$1
branch=refs/heads/${BRANCH:-paperboy-state}
remote=${REMOTE:-origin}
paperboy=${PAPERBOY:-paperboy}
known=

save() { # save WHY [options of export]: replaces the branch by a single commit, so that it doesn't grow
    local why=$1 blob tree commit
    shift
    blob=$("$paperboy" export "$@" | gzip -n | git hash-object -w --stdin)
    tree=$(printf '100644 blob %s\tstate.jsonl.gz\n' "$blob" | git mktree)
    commit=$(git -c user.name=Paperboy -c user.email=paperboy@localhost commit-tree "$tree" -m "$why")
    git push --quiet --force-with-lease="$branch:$known" "$remote" "$commit:$branch"
    known=$commit
}

found=$(git ls-remote "$remote" "$branch") # fails if the repository can't be reached: that is no first run
if [ -n "$found" ]; then
    known=${found%%[[:space:]]*}
    git fetch --quiet --depth 1 "$remote" "$known"
    git cat-file blob "$known:state.jsonl.gz" | gunzip | "$paperboy" import
fi
"$paperboy" subscribe "$subscriptions"
"$paperboy" run --once poller fanout
save "What is about to be posted" --about-to-post
"$paperboy" run --once delivery
save "What was posted"
