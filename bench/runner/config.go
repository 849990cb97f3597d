package runner

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
)

// ConfigName is the file in a run's folder that says what was asked for.
const ConfigName = "config.json"

// A config is a run's configuration with patterns, axes and defaults of the file resolved; what each job ran with stands
// in its record.
type config struct {
	File        string         `json:"file"`
	Only        []string       `json:"only,omitempty"`
	Data        string         `json:"data,omitempty"` // of accuracies whose experiment names none
	Cache       string         `json:"cache,omitempty"`
	KernelBuild string         `json:"kernel_build"`
	Machine     record.Machine `json:"machine"`
	Experiments []string       `json:"experiments"`
	Questions   []string       `json:"questions"`
	Jobs        []configJob    `json:"jobs"`
}

// A configJob is one job; zero values are the network's, the machine's or the measurement's own.
type configJob struct {
	ID         string `json:"id"`
	Experiment string `json:"experiment"`
	Model      string `json:"model"`
	record.Axes
	Timeout   time.Duration   `json:"timeout_ns,omitempty"`
	MaxMemory int64           `json:"max_memory_bytes,omitempty"`
	Price     float64         `json:"price_per_hour,omitempty"`
	Latency   *configLatency  `json:"latency,omitempty"`
	Accuracy  *configAccuracy `json:"accuracy,omitempty"`

	Training *experiment.Train `json:"training,omitempty"` // the recipe by the names of its fields

	Calibration *experiment.Calibration `json:"calibration,omitempty"` // by the names of its fields
}

type configLatency struct {
	MinDuration  time.Duration `json:"min_duration_ns,omitempty"`
	MaxDuration  time.Duration `json:"max_duration_ns,omitempty"`
	MinSamples   int           `json:"min_samples,omitempty"`
	Streams      int           `json:"streams,omitempty"`
	Rate         float64       `json:"rate,omitempty"` // images a second
	LatencyBound time.Duration `json:"latency_bound_ns,omitempty"`
	Seed         uint64        `json:"seed,omitempty"`
}

type configAccuracy struct {
	Data    string `json:"data,omitempty"`
	Labels  string `json:"labels,omitempty"`
	Map     string `json:"class_map,omitempty"`
	Split   string `json:"split,omitempty"`
	Exif    string `json:"exif,omitempty"`
	Answers string `json:"answers,omitempty"`
	Limit   int    `json:"limit,omitempty"`
	Seed    uint64 `json:"seed,omitempty"`
	Network string `json:"network,omitempty"` // of the one checkpoint that the file names
	Tag     string `json:"tag,omitempty"`
	File    string `json:"file,omitempty"`
}

// writeConfig writes a run's configuration into its folder.
func writeConfig(o Options, jobs []experiment.Job) error {
	c := config{File: o.File.Path, Only: o.Only, Data: o.Data, Cache: o.Cache.Dir, KernelBuild: KernelBuild(), Machine: record.ThisMachine()}
	for i := range jobs {
		c.Jobs = append(c.Jobs, newConfigJob(&jobs[i]))
	}
	for _, e := range o.File.Experiments {
		for i := range jobs {
			if jobs[i].Experiment == e.Name {
				c.Experiments, c.Questions = append(c.Experiments, e.Name), append(c.Questions, e.Question)
				break
			}
		}
	}
	err := record.Replace(filepath.Join(o.Dir, ConfigName), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(c)
	})
	if err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	return nil
}

func newConfigJob(j *experiment.Job) configJob {
	c := configJob{
		ID: j.ID, Experiment: j.Experiment, Model: j.Model, Axes: j.Axes,
		Timeout: j.Timeout, MaxMemory: j.MaxMemory, Price: j.Price, Training: j.Train,
		Calibration: j.Calibration,
	}
	if l := j.Latency; l != nil {
		c.Latency = &configLatency{
			MinDuration: l.MinDuration, MaxDuration: l.MaxDuration, MinSamples: l.MinSamples, Streams: l.Streams, Rate: l.Rate,
			LatencyBound: l.LatencyBound, Seed: l.Seed,
		}
	}
	if a := j.Accuracy; a != nil {
		c.Accuracy = &configAccuracy{
			Data: a.Data, Labels: a.Labels, Map: a.ClassMap, Split: a.Split, Exif: a.Exif, Answers: a.Answers,
			Limit: a.Limit, Seed: a.Seed,
		}
		if len(a.Checkpoints) > 0 {
			c.Accuracy.Network, c.Accuracy.Tag, c.Accuracy.File = a.Checkpoints[0].Network, a.Checkpoints[0].Tag, a.Checkpoints[0].File
		}
	}
	return c
}
