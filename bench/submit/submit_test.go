package submit

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/yaml"

	"zoobench/internal/testenv"
)

// job is a job with all that a scheduler may be told.
func job(scheduler string) Job {
	j := Job{
		Name: "zoo", File: "/shared/study.yaml", Args: []string{"--only", "first", "--set", "latency.min_duration=1s"}, Shards: 16,
		Out: "/shared/results", Timings: true, Accuracies: true, CPUs: 4, Memory: 3 << 30, Limit: 90 * time.Minute,
		TimedLimit: 40*time.Minute + time.Second, Partition: "cpu", Constraint: "genoa&avx512", Hosts: "hosts.txt",
	}
	if scheduler == "kubernetes" {
		j.File, j.Out, j.Image, j.Claim = Mount+"/study.yaml", Mount+"/results", "registry/zoobench:0.1.0", "zoo"
		j.Node = "node.kubernetes.io/instance-type=c7i"
	}
	return j
}

// TestGolden holds what is written for each scheduler, for all kinds of tasks and for one.
func TestGolden(t *testing.T) {
	for _, s := range Schedulers {
		j := job(s)
		text, err := Write(s, j)
		if err != nil {
			t.Fatal(err)
		}
		testenv.Golden(t, filepath.Join("testdata", s+".golden"), text)
		j.Timings, j.Partition, j.Constraint, j.Hosts, j.Args = false, "", "", "", nil
		if text, err = Write(s, j); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("--measure latency")) || bytes.Contains(text, []byte("measure, latency")) {
			t.Errorf("%s: accuracies alone have a job for timings", s)
		}
		testenv.Golden(t, filepath.Join("testdata", s+"_accuracies.golden"), text)
	}
}

// TestShells has bash read the scripts, with names that would break out of quotes.
func TestShells(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here to read the scripts")
	}
	for _, s := range []string{"slurm", "parallel"} {
		j := job(s)
		j.File, j.Out, j.Args = "/a b/it's; touch x #.yaml", "/out/$(touch x)`touch x`", []string{"--set", `models=["a b", 'c']`}
		text, err := Write(s, j)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(bash, "-n")
		cmd.Stdin = bytes.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: bash says %v: %s", s, err, out)
		}
		// What the script takes the file to be is what was asked for.
		lines := ""
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "file=") || strings.HasPrefix(line, "out=") {
				lines += line
			}
		}
		echo := exec.Command(bash, "-c", lines+`printf '%s|%s' "$file" "$out"`)
		echo.Dir = t.TempDir()
		if out, err := echo.Output(); err != nil || string(out) != j.File+"|"+j.Out {
			t.Errorf("%s: bash reads %q, %v, want %q", s, out, err, j.File+"|"+j.Out)
		}
	}
}

// manifests decodes a manifest's documents strictly: a field that Kubernetes does not have is an error.
func manifests(text []byte) (jobs []batchv1.Job, err error) {
	for _, doc := range bytes.Split(text, []byte("\n---\n"))[1:] {
		var j batchv1.Job
		if err := yaml.UnmarshalStrict(doc, &j); err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

func TestKubernetes(t *testing.T) {
	text, err := Write("kubernetes", job("kubernetes"))
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := manifests(text)
	if err != nil || len(jobs) != 3 {
		t.Fatalf("%d jobs, error %v, want 3", len(jobs), err)
	}
	array, timings, report := jobs[0], jobs[1], jobs[2]
	if *array.Spec.CompletionMode != batchv1.IndexedCompletion || *array.Spec.Completions != 16 || *array.Spec.BackoffLimitPerIndex != 3 {
		t.Errorf("the array: %+v", array.Spec)
	}
	if !*report.Spec.Suspend {
		t.Error("the report does not wait")
	}
	if timings.Spec.Template.Spec.NodeSelector["node.kubernetes.io/instance-type"] != "c7i" {
		t.Errorf("nodes for timings: %v", timings.Spec.Template.Spec.NodeSelector)
	}
	for _, j := range jobs {
		if j.APIVersion != "batch/v1" || j.Kind != "Job" {
			t.Errorf("%s: %s %s", j.Name, j.APIVersion, j.Kind)
		}
		c := j.Spec.Template.Spec.Containers[0]
		for name, want := range c.Resources.Requests {
			if have := c.Resources.Limits[name]; have.Cmp(want) != 0 || want.IsZero() {
				t.Errorf("%s: %s: requests %v, limit %v, want them equal", j.Name, name, want.String(), have.String())
			}
		}
		if p := j.Spec.PodFailurePolicy; p != nil && *p.Rules[1].OnExitCodes.ContainerName != c.Name {
			t.Errorf("%s: the failure policy is of container %s", j.Name, *p.Rules[1].OnExitCodes.ContainerName)
		}
	}
	wrong := bytes.Replace(text, []byte("backoffLimitPerIndex"), []byte("backoffLimitPerIndexes"), 1)
	if _, err := manifests(wrong); err == nil || !strings.Contains(err.Error(), "backoffLimitPerIndexes") {
		t.Errorf("a field that does not exist: error %v, want one that names it", err)
	}
}

func TestKubernetesQuotes(t *testing.T) {
	j := job("kubernetes")
	j.File, j.Args = Mount+`/a: "b", [c] # d.yaml`, []string{"--set", `x={"y": 1}`}
	text, err := Write("kubernetes", j)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := manifests(text)
	if err != nil {
		t.Fatal(err)
	}
	if args := jobs[0].Spec.Template.Spec.Containers[0].Args; args[1] != j.File || args[3] != j.Args[1] {
		t.Errorf("arguments %q", args)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		scheduler string
		change    func(*Job)
		fault     string
	}{
		{"pbs", func(*Job) {}, "want one of slurm, kubernetes, parallel"},
		{"slurm", func(j *Job) { j.Name = "Zoo bench" }, "small letters"},
		{"slurm", func(j *Job) { j.Name = "" }, "small letters"},
		{"slurm", func(j *Job) { j.Shards = 0 }, "0 shards"},
		{"slurm", func(j *Job) { j.Timings, j.Accuracies = false, false }, "nothing to measure"},
		{"slurm", func(j *Job) { j.Out = "a\nrm -rf b" }, "line break"},
		{"slurm", func(j *Job) { j.Args = []string{"--set", "a\nb"} }, "line break"},
		{"slurm", func(j *Job) { j.Memory = 0 }, "positive limits"},
		{"kubernetes", func(j *Job) { j.Image = "" }, "--image"},
		{"kubernetes", func(j *Job) { j.Claim = "" }, "--claim"},
		{"kubernetes", func(j *Job) { j.Out = "/elsewhere" }, "below " + Mount},
		{"kubernetes", func(j *Job) { j.Out = Mount + "/../etc" }, "below " + Mount},
		{"kubernetes", func(j *Job) { j.Node = "fast" }, "LABEL=VALUE"},
	} {
		j := job(c.scheduler)
		c.change(&j)
		if text, err := Write(c.scheduler, j); err == nil || !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v, %d bytes; want an error with %q", c.scheduler, err, len(text), c.fault)
		}
	}
}
