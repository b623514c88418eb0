package workload

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// TLS is how an https target is spoken to, where the authorities of this system do not know it or it wants to know its
// clients. Files are PEM; relative paths start at the scenario's folder. The target's certificate is always verified.
type TLS struct {
	// CA is a file with the certificates of the authorities that are trusted, in place of the system's.
	CA string `yaml:"ca,omitempty" json:"ca,omitempty" jsonschema:"minLength=1,example=certs/ca.pem"`
	// Cert and Key are files with the client's certificate (and those between it and its authority) and its private key.
	Cert string `yaml:"cert,omitempty" json:"cert,omitempty" jsonschema:"minLength=1,example=certs/client.pem"`
	Key  string `yaml:"key,omitempty" json:"key,omitempty" jsonschema:"minLength=1,example=certs/client-key.pem"`
	// ServerName is the name that is asked for and that the certificate must have. Default: the URL's host.
	ServerName string `yaml:"server_name,omitempty" json:"server_name,omitempty" jsonschema:"minLength=1,example=llm.internal"`
}

// FileError is a file of a field that cannot be used.
type FileError struct{ Field, Problem, Remedy string }

// Error implements error.
func (e *FileError) Error() string {
	return fmt.Sprintf("tls.%s: %s\n%s", e.Field, e.Problem, e.Remedy)
}

// Authorities reads CA, below dir where it is relative; nil without one. An error is a FileError.
func (t *TLS) Authorities(dir string) (*x509.CertPool, error) {
	if t.CA == "" {
		return nil, nil
	}
	b, err := readPEM(dir, "ca", t.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, &FileError{"ca", fmt.Sprintf("no certificate in %s", t.CA), "name a PEM file that holds -----BEGIN CERTIFICATE-----, such as the authority's ca.pem"}
	}
	return pool, nil
}

// Certificate reads Cert and Key, below dir where they are relative; nil without them. An error is a FileError.
func (t *TLS) Certificate(dir string) (*tls.Certificate, error) {
	if t.Cert == "" || t.Key == "" {
		return nil, nil
	}
	cert, err := readPEM(dir, "cert", t.Cert)
	if err != nil {
		return nil, err
	}
	key, err := readPEM(dir, "key", t.Key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		field := "cert"
		if strings.Contains(err.Error(), "key") {
			field = "key"
		}
		return nil, &FileError{field, fmt.Sprintf("%s and %s are no certificate with its key (%s)", t.Cert, t.Key, strings.TrimPrefix(err.Error(), "tls: ")),
			"name the PEM file of the certificate in cert and that of its own, unencrypted key in key"}
	}
	return &pair, nil
}

// readPEM reads a file that must hold PEM.
func readPEM(dir, field, path string) ([]byte, error) {
	if strings.Contains(path, "-----BEGIN") {
		return nil, &FileError{field, "PEM itself stands where a file's name should", "write it to a file and name that"}
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	b, err := os.ReadFile(path)
	var at *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &FileError{field, "there is no file " + path, "relative paths start at the scenario's folder"}
	case errors.As(err, &at):
		return nil, &FileError{field, fmt.Sprintf("%s cannot be read: %v", path, at.Err), "name a file that this user may read"}
	case err != nil:
		return nil, &FileError{field, err.Error(), "name a file that this user may read"}
	}
	if block, _ := pem.Decode(b); block == nil {
		return nil, &FileError{field, path + " is not PEM", pemWanted(field, b)}
	}
	return b, nil
}

// pemWanted says what a file that is no PEM should be, and how to make that of it where it may be DER: an ASN.1 sequence,
// which begins with 0x30, and no text, in which that is the digit 0.
func pemWanted(field string, b []byte) string {
	what, convert := "CERTIFICATE", "x509"
	if field == "key" {
		what, convert = "PRIVATE KEY", "pkey"
	}
	remedy := "name a file that holds -----BEGIN " + what + "-----"
	if bytes.HasPrefix(b, []byte{0x30}) && !utf8.Valid(b) {
		remedy += "; this one looks like DER, which is converted by: openssl " + convert + " -inform der -in FILE -out FILE.pem"
	}
	return remedy
}
