package datasets

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// isJSON reports whether a label file's text is JSON: labels as text begin with neither bracket, but for a list of one
// line, [1, 2], which is JSON as well.
func isJSON(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{")
}

// jsonLabels reads labels in JSON: an object of names and labels; or a list of labels, of lists of labels, of pairs of a
// name and a label, or of objects that have both. A list may be the "labels", "annotations" or "images" of an object, or have
// its entries one after the other without brackets, as JSON lines.
func jsonLabels(file, text string, v *vocabulary) (lines []labelLine, form labelForm, err error) {
	form.isJSON = true
	var list []json.RawMessage
	var object map[string]json.RawMessage
	if list = jsonEntries(text); list == nil {
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return nil, form, fmt.Errorf("datasets: %s: %w", file, err)
		}
		if object["images"] != nil && object["annotations"] != nil {
			return cocoLabels(file, object, v)
		}
		for _, key := range []string{"labels", "annotations", "images"} {
			if json.Unmarshal(object[key], &list) == nil && list != nil {
				object = nil
				break
			}
		}
	}
	if object != nil {
		for i, name := range slices.Sorted(maps.Keys(object)) {
			labels, err := jsonLabel(object[name], v)
			if err != nil {
				return nil, form, fmt.Errorf("datasets: %s: %s: %w", file, name, err)
			}
			lines = append(lines, labelLine{number: i + 1, name: name, labels: labels})
		}
		form.what = "a JSON object of files and labels"
		return lines, form, nil
	}
	named := 0
	for i, value := range list {
		line, err := jsonLine(value, v)
		if err != nil {
			return nil, form, fmt.Errorf("datasets: %s: entry %d: %w", file, i+1, err)
		}
		line.number = i + 1
		if line.name != "" {
			named++
		}
		lines = append(lines, line)
	}
	switch {
	case len(lines) == 0:
		return nil, form, fmt.Errorf("datasets: %s: no labels; %s", file, wantLabels)
	case named != 0 && named != len(lines):
		return nil, form, fmt.Errorf("datasets: %s: %d of %d entries name an image, want all or none", file, named, len(lines))
	case named == 0:
		form.what, form.name = "a JSON list of labels alone", -1
		return lines, form, nil
	}
	form.what = "a JSON list of files and labels"
	return lines, form, nil
}

// jsonEntries are the entries of a list, or of JSON lines; nil where a text is neither.
func jsonEntries(text string) (list []json.RawMessage) {
	if json.Unmarshal([]byte(text), &list) == nil {
		return list
	}
	d := json.NewDecoder(strings.NewReader(text))
	list = nil
	for d.More() {
		var entry json.RawMessage
		if d.Decode(&entry) != nil {
			return nil
		}
		list = append(list, entry)
	}
	if len(list) < 2 {
		return nil // a single object, or nothing
	}
	return list
}

// jsonLine reads an entry of a list.
func jsonLine(value json.RawMessage, v *vocabulary) (line labelLine, err error) {
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) == nil && object != nil {
		keys := slices.Sorted(maps.Keys(object))
		if i := headerColumn(nameHeaders, keys); i >= 0 {
			_ = json.Unmarshal(object[keys[i]], &line.name) // "" where it is no text
		}
		if i := headerColumn(labelHeaders, keys); i >= 0 {
			if line.labels, err = jsonLabel(object[keys[i]], v); err != nil {
				return line, err
			}
		}
		if line.name == "" || line.labels == nil {
			return line, fmt.Errorf("want an object with a file name and a label")
		}
		return line, nil
	}
	var pair []json.RawMessage
	if json.Unmarshal(value, &pair) == nil && len(pair) == 2 && json.Unmarshal(pair[0], &line.name) == nil && !v.looksLike(line.name) {
		line.labels, err = jsonLabel(pair[1], v)
		return line, err
	}
	line.name = ""
	line.labels, err = jsonLabel(value, v)
	return line, err
}

// jsonLabel reads a label or a list of them; null is none.
func jsonLabel(value json.RawMessage, v *vocabulary) ([]int, error) {
	if string(value) == "null" {
		return []int{}, nil
	}
	var text string
	if json.Unmarshal(value, &text) == nil {
		return v.labels(text)
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		return v.labels(string(value))
	}
	labels := []int{}
	for _, item := range list {
		more, err := jsonLabel(item, v)
		if err != nil {
			return nil, err
		}
		for _, label := range more {
			if !slices.Contains(labels, label) {
				labels = append(labels, label)
			}
		}
		if len(labels) > maxLabels {
			return nil, errTooManyLabels
		}
	}
	return labels, nil
}

// cocoLabels reads the form of COCO and iNaturalist: images with an id and a file's name, and annotations with an image's id
// and a category's.
func cocoLabels(file string, object map[string]json.RawMessage, v *vocabulary) (lines []labelLine, form labelForm, err error) {
	var images []struct {
		ID   json.RawMessage `json:"id"`
		File string          `json:"file_name"`
	}
	var annotations []struct {
		Image    json.RawMessage `json:"image_id"`
		Category json.RawMessage `json:"category_id"`
	}
	if err := json.Unmarshal(object["images"], &images); err != nil {
		return nil, form, fmt.Errorf("datasets: %s: images: %w", file, err)
	}
	if err := json.Unmarshal(object["annotations"], &annotations); err != nil {
		return nil, form, fmt.Errorf("datasets: %s: annotations: %w", file, err)
	}
	at := map[string]int{}
	for i, image := range images {
		at[string(image.ID)] = i
		lines = append(lines, labelLine{number: i + 1, name: image.File})
	}
	for i, a := range annotations {
		line, ok := at[string(a.Image)]
		if !ok {
			return nil, form, fmt.Errorf("datasets: %s: annotation %d: no image has the id %s", file, i+1, a.Image)
		}
		labels, err := jsonLabel(a.Category, v)
		if err != nil {
			return nil, form, fmt.Errorf("datasets: %s: annotation %d: %w", file, i+1, err)
		}
		for _, label := range labels {
			if !slices.Contains(lines[line].labels, label) {
				lines[line].labels = append(lines[line].labels, label)
			}
		}
		if len(lines[line].labels) > maxLabels {
			return nil, form, fmt.Errorf("datasets: %s: annotation %d: %w", file, i+1, errTooManyLabels)
		}
	}
	labelled := slices.DeleteFunc(lines, func(l labelLine) bool { return l.labels == nil })
	return labelled, labelForm{isJSON: true, what: "COCO's images and annotations"}, nil
}
