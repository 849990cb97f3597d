package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/zoo"
	"zoobench/zoo/weights"
)

// wildcards are the characters that make a pattern of a name.
const wildcards = "*?["

// expand makes networks' names of arguments: each is a name or a pattern, as package zoo has them, or several with commas
// between. A tag may follow a dot, and may have wildcards too: those match the tags that tags returns. A pattern adds only
// names that are not there yet, in the zoo's order.
func (a *app) expand(args []string, tags func(*zoo.Spec) ([]string, error)) (names []string, err error) {
	for _, arg := range args {
		for pattern := range strings.SplitSeq(arg, ",") {
			if pattern = strings.TrimSpace(pattern); pattern == "" {
				return nil, fmt.Errorf("have %q, want names of networks with commas between them", arg)
			}
			found, err := a.expandPattern(pattern, tags)
			if err != nil {
				return nil, err
			}
			for _, name := range found {
				if !isPattern(pattern) || !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	return names, nil
}

// onlyZoo refuses ONNX files where networks of the zoo alone can be had.
func onlyZoo(names []string, instead string) error {
	for _, name := range names {
		if runner.IsONNX(name) {
			return fmt.Errorf("%s is a file, no network of the zoo; %s", name, instead)
		}
	}
	return nil
}

// isPattern reports whether an argument can be several networks or checkpoints.
func isPattern(arg string) bool {
	return strings.ContainsAny(arg, wildcards) || strings.HasPrefix(arg, "family:")
}

func (a *app) expandPattern(pattern string, tags func(*zoo.Spec) ([]string, error)) (names []string, err error) {
	if runner.IsONNX(pattern) {
		return []string{pattern}, nil
	}
	network, tag := zoo.Split(pattern)
	specs, err := a.list.Match([]string{network})
	if err != nil || !isPattern(pattern) {
		return []string{pattern}, err
	}
	for _, spec := range specs {
		if !strings.ContainsAny(tag, wildcards) {
			names = append(names, strings.TrimSuffix(spec.Name+"."+tag, "."))
			continue
		}
		known, err := tags(spec)
		if err != nil {
			return nil, err
		}
		for _, t := range known {
			match, err := path.Match(tag, t)
			if err != nil {
				return nil, fmt.Errorf("pattern %q: %w", pattern, err)
			}
			if match {
				names = append(names, spec.Name+"."+t)
			}
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no checkpoint matches %q", pattern)
	}
	return names, nil
}

// cachedTags are the tags of a network's checkpoints in the cache folder.
func cachedTags(spec *zoo.Spec) ([]string, error) {
	cache, err := runner.DefaultCache()
	if err != nil {
		return nil, err
	}
	return cache.Tags(spec)
}

// publishedTags are the tags of a network's published checkpoints.
func publishedTags(spec *zoo.Spec) (tags []string, _ error) {
	for _, c := range spec.Checkpoints {
		tags = append(tags, c.Tag)
	}
	return tags, nil
}

// tasks makes a task of each network that the arguments name.
func (b *build) tasks(a *app, args []string) (tasks []runner.Task, err error) {
	names, err := a.expand(args, cachedTags)
	if err != nil {
		return nil, err
	}
	file, _ := weights.SplitSection(b.weights)
	if _, err := os.Stat(file); err == nil && file != "" && len(names) > 1 {
		return nil, fmt.Errorf("--weights %s: a file is of one network, have %d; want one network, or a tag", b.weights, len(names))
	}
	for _, name := range names {
		t, err := b.task(a, name)
		if err != nil {
			return nil, err
		}
		if err := b.shipped(a, &t); err != nil {
			return nil, err
		}
		tasks = append(tasks, t)
	}
	return b.precision.of(tasks), nil
}

// shipped gives a task that names no checkpoint the weights that the program contains of the network, if it contains any and they
// fit what the flags ask for.
func (b *build) shipped(a *app, t *runner.Task) error {
	if t.Weights != "" || b.imgSize != 0 || b.classes != 0 || b.given("generated-gain") {
		return nil
	}
	spec, err := a.list.Find(t.Model)
	if err != nil {
		return err
	}
	known, ok := spec.Shipped()
	if !ok {
		return nil
	}
	cache, err := runner.DefaultCache()
	if err != nil {
		return err
	}
	t.Tag = known.Tag
	t.Weights, err = cache.Find(spec, known.Tag)
	return err
}

// ownSet is the set of images that a task is evaluated on where nobody names others, "" for none; see [runner.OwnSet].
func (a *app) ownSet(t runner.Task) string {
	spec, err := a.list.Find(t.Model)
	if err != nil {
		return "" // an ONNX file
	}
	return runner.OwnSet(spec, t.Tag)
}

// checkpoints makes a task of each checkpoint that the arguments name. A network without a checkpoint is an error.
func (b *build) checkpoints(a *app, command string, args []string) ([]runner.Task, error) {
	tasks, err := b.tasks(a, args)
	if err != nil {
		return nil, err
	}
	for _, t := range tasks {
		if t.Weights == "" {
			return nil, fmt.Errorf("%s: %s: no checkpoint; name its file or its tag with --weights, or all in the cache folder as '%s.*'",
				command, t.Model, t.Model)
		}
	}
	return tasks, nil
}

// eachTask does something with each of several tasks in turn. One that fails costs only its own rows: a line on standard
// error says so, and the others go on. The failure of a single one is the error.
func (a *app) eachTask(ctx context.Context, tasks []runner.Task, do func(runner.Task) error) error {
	failed := 0
	for _, t := range tasks {
		err := do(t)
		switch {
		case err == nil:
		case len(tasks) == 1 || ctx.Err() != nil || errors.Is(err, errReaderGone):
			return err
		default:
			fmt.Fprintf(a.stderr, "zoobench: %s: %s\n", taskName(t), clean(err.Error()))
			failed++
		}
	}
	if failed > 0 {
		return &exitError{exitFailed, fmt.Errorf("%d of %d networks failed", failed, len(tasks))}
	}
	return nil
}

// taskName is a task's network, with the tag of its checkpoint and the precision.
func taskName(t runner.Task) string {
	return record.Axes{Precision: t.Precision}.Named(checkpointName(t))
}

// checkpointName is a task's network, with the tag of its checkpoint.
func checkpointName(t runner.Task) string { return strings.TrimSuffix(t.Model+"."+t.Tag, ".") }
