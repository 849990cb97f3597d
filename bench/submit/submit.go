// Package submit writes what hands a run's shards to the scheduler that somebody has: a script for Slurm, a manifest for
// Kubernetes, a script for GNU parallel.
//
// The contract: what it writes is text for a person to read, edit and send; it sends nothing. Accuracies are an array of shards
// that may run anywhere and are tried again; timings are a job of its own that has a whole node, of one class; a last job puts
// everything together whatever became of the others, and says what is missing. Every word of the user's is quoted for the shell or for
// YAML. The same [Job] gives the same bytes.
//
// It leaves dealing to bench/shard, doing to bench/runner, and queues, nodes and retries to the scheduler.
package submit

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
	"time"
)

// A Job is what is to be submitted.
type Job struct {
	Name   string   // of jobs and manifests
	File   string   // of experiments, as the machines see it
	Args   []string // further arguments of zoobench run, as --only first
	Shards int
	Out    string // folder on a disk that all machines see

	Timings    bool // the file has timed jobs
	Accuracies bool // the file has accuracies

	CPUs       int           // of a shard
	Memory     int64         // bytes of a shard
	Limit      time.Duration // of a shard
	TimedLimit time.Duration // of the job for timings

	Partition  string // Slurm's, "" for the default
	Constraint string // Slurm's features of the nodes for timings, "" for any
	Image      string // Kubernetes: container image with the program
	Claim      string // Kubernetes: persistent volume claim that holds Out and the data
	Node       string // Kubernetes: label=value of the nodes for timings, "" for any
	Hosts      string // GNU parallel: file of hosts, "" for this machine
}

// Schedulers are what Write knows.
var Schedulers = []string{"slurm", "kubernetes", "parallel"}

//go:embed templates
var templates embed.FS

// Write returns the script or manifest for a scheduler. A job that the scheduler cannot have is an error that says what is wrong.
func Write(scheduler string, j Job) ([]byte, error) {
	if err := j.check(scheduler); err != nil {
		return nil, err
	}
	t, err := template.New(scheduler+".tmpl").Funcs(template.FuncMap{
		"sh": Shell, "yaml": yamlWord, "minutes": minutes, "seconds": seconds, "mebibytes": mebibytes, "label": label,
		"mount": func() string { return Mount }, "last": func(j Job) int { return j.Shards - 1 },
		"args": func(args []string) string {
			var words strings.Builder
			for _, a := range args {
				words.WriteString(" " + Shell(a))
			}
			return words.String()
		},
	}).ParseFS(templates, "templates/"+scheduler+".tmpl")
	if err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, j); err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	return b.Bytes(), nil
}

var (
	name      = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$`)
	nodeLabel = regexp.MustCompile(`^([-A-Za-z0-9_./]+)=([-A-Za-z0-9_.]+)$`)
)

func (j *Job) check(scheduler string) error {
	known := false
	for _, s := range Schedulers {
		known = known || s == scheduler
	}
	for _, c := range []struct {
		bad  bool
		what string
	}{
		{!known, fmt.Sprintf("scheduler %q: want one of %s", scheduler, strings.Join(Schedulers, ", "))},
		{!name.MatchString(j.Name), fmt.Sprintf("name %q: want at most 42 small letters, digits and hyphens", j.Name)},
		{j.Shards < 1, fmt.Sprintf("%d shards: want 1 at least", j.Shards)},
		{!j.Timings && !j.Accuracies, "the file has nothing to measure"},
		{j.CPUs < 1 || j.Memory < 1 || j.Limit <= 0, fmt.Sprintf("%d processors, %d bytes, %v: want positive limits", j.CPUs, j.Memory, j.Limit)},
		{strings.ContainsAny(j.File+j.Out+j.Partition+j.Constraint+j.Image+j.Claim+j.Hosts+strings.Join(j.Args, ""), "\n\r\x00"),
			"a name has a line break"},
		{scheduler == "kubernetes" && j.Image == "", "kubernetes: name the container image with the program with --image"},
		{scheduler == "kubernetes" && j.Claim == "", "kubernetes: name the persistent volume claim for data and results with --claim"},
		{scheduler == "kubernetes" && !(inVolume(j.File) && inVolume(j.Out)),
			fmt.Sprintf("kubernetes: %s and %s: want paths below %s, where the claim is mounted", j.File, j.Out, Mount)},
		{j.Node != "" && !nodeLabel.MatchString(j.Node), fmt.Sprintf("node %q: want LABEL=VALUE", j.Node)},
	} {
		if c.bad {
			return fmt.Errorf("submit: %s", c.what)
		}
	}
	return nil
}

// Mount is where the volume claim is in a container.
const Mount = "/data"

// Paths are the experiments file and the folder for results as the scheduler's machines see them: in a container below the
// mounted volume, elsewhere where they are here.
func Paths(scheduler, file, out string) (string, string, error) {
	if scheduler == "kubernetes" {
		if !path.IsAbs(out) {
			out = path.Join(Mount, out)
		}
		return path.Join(Mount, filepath.Base(file)), out, nil
	}
	absFile, errFile := filepath.Abs(file)
	absOut, errOut := filepath.Abs(out)
	return absFile, absOut, errors.Join(errFile, errOut)
}

func inVolume(file string) bool { return strings.HasPrefix(path.Clean(file), Mount+"/") }

var plain = regexp.MustCompile(`^[-\p{L}\p{Nd}_./=:,+@%]+$`)

// Shell quotes a word in which a shell would see more than a word, or none.
func Shell(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// yamlWord is a string as YAML has it in double quotes, which JSON's strings are too.
func yamlWord(word string) (string, error) {
	text, err := json.Marshal(word)
	return string(text), err
}

// label is a node label's name and value as a line of YAML.
func label(text string) (string, error) {
	parts := nodeLabel.FindStringSubmatch(text)
	value, err := yamlWord(parts[2])
	return parts[1] + ": " + value, err
}

func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

func minutes(d time.Duration) int64 { return int64((d + time.Minute - 1) / time.Minute) }

func mebibytes(n int64) int64 { return (n + 1<<20 - 1) >> 20 }
