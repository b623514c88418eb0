package workload

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/infbench/infbench/pkg/workload/internal/strict"
)

// Telemetry is where a server publishes figures of itself, in Prometheus' text format. It is read about once a second beside
// the requests; docs/telemetry.md says what is read of each server. {} alone takes every default.
type Telemetry struct {
	// URL is the page. Default: /metrics at the root of the approach's url (NIM: /v1/metrics), a simulated endpoint's own.
	// ${ENV} is expanded.
	URL string `yaml:"url,omitempty" json:"url,omitempty" jsonschema:"minLength=1,example=http://127.0.0.1:8000/metrics"`
	// URLs are the pages of several replicas that serve the approach together: their figures are added up.
	URLs []string `yaml:"urls,omitempty" json:"urls,omitempty" jsonschema:"minItems=1"`
	// Server is whose names to look for. Default: those that the page has most of.
	Server string `yaml:"server,omitempty" json:"server,omitempty" jsonschema:"enum=llamacpp,enum=nim,enum=ray,enum=sglang,enum=tgi,enum=triton,enum=vllm"`
	// Headers are sent with every scrape; none of the approach's are. ${ENV} is expanded.
	Headers map[string]string `yaml:"headers,omitempty" json:"headers,omitempty"`
	// EnvHeaders are the names of the headers that an environment variable is part of.
	EnvHeaders []string `yaml:"-" json:"-"`
	// Labels are what a series must have to be read, such as model_name. Default: of a page of several models, the
	// approach's own where it is one of them.
	Labels map[string]string `yaml:"labels,omitempty" json:"labels,omitempty"`
	// Interval is the time from one scrape to the next. Default 1s.
	Interval Duration `yaml:"interval,omitempty" json:"interval,omitempty" jsonschema:"exclusiveMinimum=0,default=1s"`
}

// The bounds of Telemetry.Interval.
const (
	minScrape     = 100 * time.Millisecond
	maxScrape     = time.Minute
	defaultScrape = Duration(time.Second)
)

// Every is the interval with its default.
func (t *Telemetry) Every() time.Duration {
	if t.Interval == 0 {
		return defaultScrape.D()
	}
	return t.Interval.D()
}

// Pages are the pages to be read of an approach with this base URL.
func (t *Telemetry) Pages(base, provider string) ([]string, error) {
	switch {
	case t.URL != "":
		return []string{t.URL}, nil
	case len(t.URLs) > 0:
		return t.URLs, nil
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("the approach's url is no URL")
	}
	u.Path, u.RawPath, u.RawQuery, u.User = "/metrics", "", "", nil
	if provider == "nim" || t.Server == "nim" {
		u.Path = "/v1/metrics"
	}
	return []string{u.String()}, nil
}

func validateTelemetry(t *Telemetry, approach strict.Place) {
	p := approach.Field("telemetry")
	if t == nil || !p.Present() {
		return
	}
	if approach.Field("simulate").Present() {
		excluded(p, "simulate", "remove it: a simulated endpoint's own page is read", "url", "urls", "headers", "server")
	} else if p.Field("url").Present() {
		excluded(p, "url", "keep one of them: urls are the pages of several replicas", "urls")
	}
	validatePage(t.URL, p.Field("url"))
	for i, u := range t.URLs {
		at := p.Field("urls").Item(i)
		validatePage(u, at)
		if slices.Contains(t.URLs[:i], u) && at.Sound() {
			at.Mistake("stands here twice", "name each replica's page once: its figures would count double")
		}
	}
	for _, name := range p.Field("headers").Keys() {
		validateHeader(name, t.Headers[name], p.Field("headers").Field(name))
	}
	if at := p.Field("interval"); at.Sound() && (t.Interval.D() < minScrape || t.Interval.D() > maxScrape) {
		at.Mistake(fmt.Sprintf("%s is out of range", t.Interval), fmt.Sprintf("give %s to %s", Duration(minScrape), Duration(maxScrape)))
	}
}

// validatePage checks the URL of a metrics page. Passwords in it are not shown.
func validatePage(s string, p strict.Place) {
	if !p.Sound() {
		return
	}
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		p.Mistake(strict.Quote(RedactURL(s))+" is no http or https URL", "write the whole page, such as http://127.0.0.1:8000/metrics")
	}
}

// expandTelemetry replaces ${NAME} in the URLs and headers of an approach's telemetry, and returns which headers had one.
func expandTelemetry(p strict.Place, lookup func(string) (string, bool)) (headers []string) {
	expand(p.Field("url"), lookup)
	for i := range p.Field("urls").Len() {
		expand(p.Field("urls").Item(i), lookup)
	}
	for _, name := range p.Field("headers").Keys() {
		if header := p.Field("headers").Field(name); variable.MatchString(header.Text()) {
			expand(header, lookup)
			headers = append(headers, name)
		}
	}
	return headers
}

// redact covers the secrets.
func (t *Telemetry) redact() {
	if t == nil {
		return
	}
	t.URL = RedactURL(t.URL)
	for i, u := range t.URLs {
		t.URLs[i] = RedactURL(u)
	}
	for name, value := range t.Headers {
		if IsSecretName(name) || keyForm.MatchString(value) || slices.Contains(t.EnvHeaders, name) {
			t.Headers[name] = covered
		}
	}
}
