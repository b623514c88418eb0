package oracle

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const nightly = "../../examples/nightly"

// What kubectl apply -k sends is made by kustomize itself and read by Kubernetes' own types, which know every field: a
// misspelt one is an error. Then the promises of the example are held against it.
func TestNightlyKubernetes(t *testing.T) {
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), nightly)
	if err != nil {
		t.Fatal(err)
	}
	var cron batch.CronJob
	var claim core.PersistentVolumeClaim
	var files core.ConfigMap
	into := map[string]any{"CronJob": &cron, "PersistentVolumeClaim": &claim, "ConfigMap": &files}
	for _, r := range made.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object := into[r.GetKind()]
		if object == nil {
			t.Fatalf("a %s, want one each of CronJob, PersistentVolumeClaim and ConfigMap", r.GetKind())
		}
		delete(into, r.GetKind())
		if err := yaml.UnmarshalStrict(text, object); err != nil {
			t.Errorf("%s: %v\n%s", r.GetKind(), err, text)
		}
	}
	if len(into) > 0 {
		t.Fatalf("missing: %v", into)
	}
	job := cron.Spec.JobTemplate.Spec
	pod := job.Template.Spec
	c := pod.Containers[0]
	volumes := map[string]core.Volume{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = v
	}
	for _, m := range c.VolumeMounts {
		if _, ok := volumes[m.Name]; !ok {
			t.Errorf("mounts %s, which is no volume", m.Name)
		}
	}
	cpu := c.Resources.Requests[core.ResourceCPU]
	limit := c.Resources.Limits[core.ResourceCPU]
	codes := job.PodFailurePolicy.Rules[1].OnExitCodes
	for what, ok := range map[string]bool{
		"concurrency Forbid":           cron.Spec.ConcurrencyPolicy == batch.ForbidConcurrent,
		"never restarted in place":     pod.RestartPolicy == core.RestartPolicyNever, // podFailurePolicy asks for it
		"non-root":                     *pod.SecurityContext.RunAsNonRoot && *pod.SecurityContext.RunAsUser != 0,
		"no escalation":                !*c.SecurityContext.AllowPrivilegeEscalation && *c.SecurityContext.ReadOnlyRootFilesystem,
		"a core of its own":            cpu.Value() >= 1 && cpu.MilliValue()%1000 == 0 && cpu.Cmp(limit) == 0,
		"an image pinned by digest":    strings.Contains(c.Image, "@sha256:"),
		"the claim that is made":       volumes["results"].PersistentVolumeClaim.ClaimName == claim.Name,
		"the files that are made":      volumes["nightly"].ConfigMap.Name == files.Name,
		"the script among the files":   c.Command[0] == "/nightly/nightly.sh" && files.Data["nightly.sh"] != "",
		"the scenario and the policy":  files.Data["nightly.yaml"] != "" && files.Data["policy.yaml"] != "",
		"the rule's container":         *codes.ContainerName == c.Name,
		"verdicts are not tried again": slices.Equal(codes.Values, []int32{1, 2, 3, 4}),
	} {
		if !ok {
			t.Errorf("not held: %s", what)
		}
	}
	for _, e := range c.Env {
		if strings.Contains(e.Name, "KEY") || strings.Contains(e.Name, "TOKEN") {
			t.Errorf("%s stands in the manifest: it belongs into the Secret", e.Name)
		}
	}
}

// gitlabJob has every keyword that the GitLab job uses, as https://docs.gitlab.com/ci/yaml/ has them; another one is an error.
type gitlabJob struct {
	Image struct {
		Name       string   `json:"name"`
		Entrypoint []string `json:"entrypoint"`
	} `json:"image"`
	Tags          []string `json:"tags"`
	ResourceGroup string   `json:"resource_group"`
	Timeout       string   `json:"timeout"`
	Interruptible bool     `json:"interruptible"`
	Rules         []struct {
		If        string            `json:"if"`
		Variables map[string]string `json:"variables"`
	} `json:"rules"`
	Variables    map[string]string `json:"variables"`
	Script       []string          `json:"script"`
	AllowFailure struct {
		ExitCodes []int `json:"exit_codes"`
	} `json:"allow_failure"`
	Artifacts struct {
		When     string   `json:"when"`
		ExpireIn string   `json:"expire_in"`
		Paths    []string `json:"paths"`
		Reports  struct {
			JUnit string `json:"junit"`
		} `json:"reports"`
	} `json:"artifacts"`
}

func TestNightlyGitLab(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(nightly, "gitlab-ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var jobs map[string]gitlabJob
	if err := yaml.UnmarshalStrict(text, &jobs); err != nil {
		t.Fatal(err)
	}
	job, ok := jobs["infbench-nightly"]
	if !ok || len(jobs) != 1 {
		t.Fatalf("jobs %v, want infbench-nightly alone", jobs)
	}
	results := "results/" + job.Variables["NIGHT"]
	for what, ok := range map[string]bool{
		"an image pinned by digest":       strings.Contains(job.Image.Name, "@sha256:"),
		"only what cannot be told may be": slices.Equal(job.AllowFailure.ExitCodes, []int{4}),
		"reports also of a failure":       job.Artifacts.When == "always",
		"the JUnit of this night":         job.Artifacts.Reports.JUnit == results+"/check.xml",
		"the folder of this night":        slices.Equal(job.Artifacts.Paths, []string{results + "/"}),
		"ends with the night's exit code": job.Script[len(job.Script)-1] == `exit "$code"`,
		"one at a time":                   job.ResourceGroup != "",
	} {
		if !ok {
			t.Errorf("not held: %s", what)
		}
	}
}

// No key has a place in the files; GitHub's come from its store alone.
func TestNightlyKeys(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(nightly, "github.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(string(line)), ":")
		if ok && strings.HasSuffix(name, "_API_KEY") && !strings.HasPrefix(strings.TrimSpace(value), "${{ secrets.") {
			t.Errorf("%s is not from the secret store", name)
		}
	}
}
