# syntax=docker/dockerfile:1
# One static binary with the ready scenarios beside it, run by a user of no rights.
#
#   docker build -t infbench .
#   docker run --rm -v "$PWD/results:/work/results" infbench run scenarios/quickstart.yaml
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/infbench ./cmd/infbench
# The folder of the results must belong to the user that writes there: scratch has no mkdir and no chown.
RUN mkdir -p /out/work/results && cp -r scenarios /out/work/scenarios

# The image of examples/nightly: its scripts need a shell, and on GitLab git and curl. docker build --target nightly .
FROM alpine:3.22 AS nightly
RUN apk add --no-cache ca-certificates curl git
COPY --from=build /out/infbench /usr/local/bin/infbench
COPY --from=build --chown=65532:65532 /out/work /work
WORKDIR /work
USER 65532:65532

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/infbench /usr/local/bin/infbench
COPY --from=build --chown=65532:65532 /out/work /work
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["infbench"]
CMD ["help"]
