package workload

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// keyPair writes a certificate that signs itself, and its key.
func keyPair(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, filepath.Join(dir, name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Load looks at the files that an approach names, and says which line names one that is of no use.
func TestFilesOfTLS(t *testing.T) {
	dir := t.TempDir()
	keyPair(t, dir, "a")
	keyPair(t, dir, "b")
	write(t, filepath.Join(dir, "noise.pem"), []byte("hello"))
	for _, tt := range []struct{ name, tls, problem string }{
		{"good", "{ca: a.pem, cert: a.pem, key: a.key, server_name: x}", ""},
		{"absolute", "{ca: '" + filepath.Join(dir, "a.pem") + "'}", ""},
		{"missing", "{ca: none.pem}", "tls.ca: there is no file " + filepath.Join(dir, "none.pem")},
		{"a folder", "{ca: '.'}", "tls.ca: " + dir + " cannot be read"},
		{"no PEM", "{ca: noise.pem}", "tls.ca: " + filepath.Join(dir, "noise.pem") + " is not PEM"},
		{"a key for an authority", "{ca: a.key}", "tls.ca: no certificate in a.key"},
		{"missing key", "{cert: a.pem, key: none.key}", "tls.key: there is no file"},
		{"missing certificate", "{cert: none.pem, key: a.key}", "tls.cert: there is no file"},
		{"another's key", "{cert: a.pem, key: b.key}", "tls.key: a.pem and b.key are no certificate with its key (private key does not match"},
		{"the other way round", "{cert: a.key, key: a.pem}", "are no certificate with its key"},
		{"inline", `{cert: a.pem, key: "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49"}`, "tls.key: PEM itself stands"},
	} {
		file := filepath.Join(dir, "s.yaml")
		write(t, file, []byte(strings.Replace(small, "url: http:", "tls: "+tt.tls+"\n    url: https:", 1)))
		_, err := Load(file)
		switch {
		case tt.problem == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.problem == "":
		case err == nil:
			t.Errorf("%s: accepted", tt.name)
		case !strings.Contains(err.Error(), tt.problem) || !strings.HasPrefix(err.Error(), file+":") || strings.Contains(err.Error(), "MIGHAg"):
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// What a file should be is said first; how to convert it, only where it looks like DER.
func TestWhatPEMIsWanted(t *testing.T) {
	dir := t.TempDir()
	keyPair(t, dir, "a")
	b, err := os.ReadFile(filepath.Join(dir, "a.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	for _, tt := range []struct {
		field, remedy string
		file          []byte
	}{
		{"ca", "name a file that holds -----BEGIN CERTIFICATE-----", []byte("hello")},
		{"ca", "name a file that holds -----BEGIN CERTIFICATE-----", []byte("0 is a digit")},
		{"ca", "name a file that holds -----BEGIN CERTIFICATE-----", nil},
		{"key", "name a file that holds -----BEGIN PRIVATE KEY-----", []byte("hello")},
		{"cert", "name a file that holds -----BEGIN CERTIFICATE-----; this one looks like DER, which is converted by: openssl x509 -inform der -in FILE -out FILE.pem", block.Bytes},
		{"key", "name a file that holds -----BEGIN PRIVATE KEY-----; this one looks like DER, which is converted by: openssl pkey -inform der -in FILE -out FILE.pem", block.Bytes},
	} {
		write(t, filepath.Join(dir, "file"), tt.file)
		var got *FileError
		if _, err := readPEM(dir, tt.field, "file"); !errors.As(err, &got) || got.Remedy != tt.remedy {
			t.Errorf("%q as %s: %v", tt.file, tt.field, err)
		}
	}
}
