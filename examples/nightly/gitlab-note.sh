#!/bin/sh
# gitlab-note.sh REPORT: posts a Markdown file as a note on the merge request of this pipeline. The token is read by curl from
# its standard input: on a command line every process of the machine could see it.
set -eu
printf 'header = "PRIVATE-TOKEN: %s"\n' "${NOTE_TOKEN:?a project access token with the scope api}" |
	curl --config - --silent --show-error --fail --output /dev/null --data-urlencode "body@$1" \
		"$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"
