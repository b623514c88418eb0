module github.com/infbench/infbench/internal/oracle

go 1.26.0

replace github.com/infbench/infbench => ../..

require (
	github.com/infbench/infbench v0.0.0
	github.com/openai/openai-go/v3 v3.96.0
	github.com/tidwall/gjson v1.20.1
	github.com/tmaxmax/go-sse v0.12.0
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/goccy/go-yaml v1.19.2 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.1 // indirect
	github.com/tidwall/sjson v1.2.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
