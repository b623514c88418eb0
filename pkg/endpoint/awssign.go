package endpoint

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/infbench/infbench/pkg/workload"
)

// awsSigner signs requests to one of Amazon's services (Signature Version 4) with the credentials in the environment.
// secrets are what must not stand in a record.
func awsSigner(cfg *Config, service string) (sign signer, secrets []string, err error) {
	region, err := awsRegion(cfg)
	if err != nil {
		return nil, nil, err
	}
	lookup := cfg.LookupEnv
	if lookup == nil {
		lookup = os.LookupEnv
	}
	get := func(name string) string {
		value, _ := lookup(name)
		return strings.TrimSpace(value)
	}
	c := aws.Credentials{AccessKeyID: get("AWS_ACCESS_KEY_ID"), SecretAccessKey: get("AWS_SECRET_ACCESS_KEY"), SessionToken: get("AWS_SESSION_TOKEN")}
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return nil, nil, &workload.FieldError{Field: "key_env", Problem: "no credentials", Remedy: "name a Bedrock API key's variable in key_env, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN where there is one)"}
	}
	for _, secret := range []string{c.AccessKeyID, c.SecretAccessKey, c.SessionToken} {
		if strings.ContainsFunc(secret, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return nil, nil, &workload.FieldError{Field: "key_env", Problem: "the credentials in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN hold a space or a character that none has", Remedy: "set each to its value alone"}
		}
		if secret != "" {
			secrets = append(secrets, secret)
		}
	}
	v := v4.NewSigner()
	return func(ctx context.Context, req *http.Request, body []byte) (http.Header, error) {
		sum := sha256.Sum256(body)
		before := req.Header.Clone()
		if err := v.SignHTTP(ctx, c, req, fmt.Sprintf("%x", sum), service, region, time.Now()); err != nil {
			return nil, err
		}
		for name := range before {
			delete(req.Header, name)
		}
		return req.Header, nil
	}, secrets, nil
}

// awsRegion is the region that the approach names, or that stands in its URL: bedrock-runtime.REGION.amazonaws.com.
func awsRegion(cfg *Config) (string, error) {
	if cfg.Approach.Region != "" {
		return cfg.Approach.Region, nil
	}
	u, err := url.Parse(cfg.Approach.URL)
	if err == nil && strings.Contains(u.Hostname(), ".amazonaws.com") {
		labels := strings.Split(u.Hostname(), ".")
		for i, label := range labels[:len(labels)-1] {
			if label == "bedrock-runtime" || label == "bedrock-runtime-fips" {
				return labels[i+1], nil
			}
		}
	}
	return "", &workload.FieldError{Field: "region", Problem: "missing, and none stands in the url", Remedy: "add it, such as region: us-east-1"}
}
