package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Names of Keras's layers and of their parts. Keras numbers layers to which the program gave no name (conv2d, conv2d_1, …)
// over all networks that one process builds, and from 1 before version 2.3: a published Inception begins with conv2d_1, or
// with conv2d_94 if another was built before. Keras itself matches layers by their order, so here they get the numbers of
// a network that is built first: the lowest becomes conv2d, the next conv2d_1.

// autoNamed is the name of a layer with weights to which the program gave none.
var autoNamed = regexp.MustCompile(
	`^(conv2d|depthwise_conv2d|separable_conv2d|batch_normalization|layer_normalization|normalization|layer_scale|dense)(?:_([1-9]\d{0,8}))?$`)

// autoNames are the names that layers get in place of the file's.
type autoNames map[string]string

// nameLayers numbers the layers of a file anew.
func nameLayers(stored []string) autoNames {
	numbers := map[string][]int{}
	for _, name := range stored {
		if m := autoNamed.FindStringSubmatch(name); m != nil {
			n, _ := strconv.Atoi(m[2])
			numbers[m[1]] = append(numbers[m[1]], n)
		}
	}
	names := autoNames{}
	for class, list := range numbers {
		slices.Sort(list)
		for i, n := range slices.Compact(list) {
			names[numbered(class, n)] = numbered(class, i)
		}
	}
	return names
}

// numbered is what Keras calls number n of a class, a layer or a group: the first one has no number.
func numbered(class string, n int) string {
	if n == 0 {
		return class
	}
	return fmt.Sprint(class, "_", n)
}

// of is the name that a layer gets.
func (a autoNames) of(stored string) string {
	if name, ok := a[stored]; ok {
		return name
	}
	return stored
}

// kerasOne is the end of names of Keras 1's weights, "block1_conv1_W_1:0", and what Keras 2 calls that part.
var (
	kerasOne      = regexp.MustCompile(`^_(W|b|gamma|beta|running_mean|running_std)(?:_\d+)?$`)
	kerasOneParts = map[string]string{
		"W": "kernel", "b": "bias", "gamma": "gamma", "beta": "beta", "running_mean": "moving_mean", "running_std": "moving_variance",
	}
)

// legacyNames are the tensors' names for the weights of a layer in the older form. A layer that is built a second time has a
// number in its weights' names that the layer's own has not. A network as a layer of another one has several owners there: the
// names of its layers, which stay.
func legacyNames(stored, layer string, weights []string) []string {
	names, owners := make([]string, len(weights)), make([]string, len(weights))
	one := true
	for i, weight := range weights {
		names[i] = strings.TrimSuffix(weight, ":0")
		owners[i] = strings.TrimSuffix(strings.TrimSuffix(names[i], last(names[i])), "/")
		one = one && owners[i] == owners[0]
	}
	for i, name := range names {
		owner, part := owners[i], last(name)
		if rest, ok := strings.CutPrefix(name, stored); ok && owner == "" {
			if m := kerasOne.FindStringSubmatch(rest); m != nil {
				part = kerasOneParts[m[1]]
			}
		}
		if owner == "" || owner == stored || one && (classOf(owner) == stored || strings.HasSuffix(owner, "/"+stored)) {
			names[i] = layer + "/" + part
		}
	}
	return names
}

// randomState reports whether a weight is the state of random numbers, which dropout keeps.
func randomState(weight string) bool {
	return strings.HasSuffix(strings.TrimSuffix(weight, ":0"), "seed_generator_state")
}

// notWeights reports whether a group's variables are those of random numbers.
func notWeights(group string) bool { return classOf(group) == "seed_generator" }

// aside reports whether a group beside the layers is of training.
func aside(group string) bool {
	return group == "optimizer" || group == "compile_metrics" || group == "metrics"
}

// classOf is a group's or a layer's name without its number: the layer's class.
func classOf(name string) string {
	if i := strings.LastIndexByte(name, '_'); i >= 0 {
		if _, err := strconv.ParseUint(name[i+1:], 10, 31); err == nil {
			return name[:i]
		}
	}
	return name
}

// natural compares names, their numbers at the end as numbers: conv2d, conv2d_2, conv2d_10.
func natural(a, b string) int {
	digits := func(s string) (string, int) {
		head := strings.TrimRight(s, "0123456789")
		n, err := strconv.Atoi(s[len(head):])
		if err != nil {
			return s, -1
		}
		return strings.TrimSuffix(head, "_"), n
	}
	x, i := digits(a)
	y, j := digits(b)
	if x != y {
		return strings.Compare(x, y)
	}
	if i != j {
		return i - j
	}
	return strings.Compare(a, b)
}

// A kerasConfig is what config.json says of layers: their order, and which variables they have.
type kerasConfig struct {
	layers []kerasLayerConfig
	index  map[string]int // by name
}

type kerasLayerConfig struct {
	Class  string `json:"class_name"`
	Config struct {
		Name   string `json:"name"`
		Center *bool  `json:"center"`
		Scale  *bool  `json:"scale"`
	} `json:"config"`
}

// parseKerasConfig reads a model's configuration, or none.
func parseKerasConfig(text []byte) (kerasConfig, error) {
	c := kerasConfig{index: map[string]int{}}
	if len(text) == 0 {
		return c, nil
	}
	var model struct {
		Config struct {
			Layers []json.RawMessage `json:"layers"`
		} `json:"config"`
	}
	if err := json.Unmarshal(text, &model); err != nil {
		return c, err
	}
	for _, raw := range model.Config.Layers {
		var layer kerasLayerConfig
		// A program's own layer may have values of other types there, which are left out.
		var other *json.UnmarshalTypeError
		if err := json.Unmarshal(raw, &layer); err != nil && !errors.As(err, &other) {
			return c, err
		}
		if _, twice := c.index[layer.Config.Name]; !twice && layer.Config.Name != "" {
			c.index[layer.Config.Name] = len(c.layers)
		}
		c.layers = append(c.layers, layer)
	}
	return c, nil
}

// name names groups that do not say their layer's name: by the configuration, in which the layers of a class are counted as the
// groups are, or else as the group.
func (c kerasConfig) name(found []varsGroup) {
	layers := map[string]string{}
	count := map[string]int{}
	for _, layer := range c.layers {
		class := snakeCase(layer.Class)
		layers[numbered(class, count[class])] = layer.Config.Name
		count[class]++
	}
	for i := range found {
		g := &found[i]
		switch n := len(g.path); {
		case g.name != "":
		case n == 0:
			g.name = "model"
		case n == 2 && g.path[0] == "layers" && layers[g.path[1]] != "":
			g.name = layers[g.path[1]]
		default:
			g.name = g.path[n-1]
		}
	}
}

var (
	snakeWord  = regexp.MustCompile(`(.)([A-Z][a-z]+)`)
	snakeLower = regexp.MustCompile(`([a-z])([A-Z])`)
)

// snakeCase is a class's name as Keras names groups: "DepthwiseConv2D" is depthwise_conv2d.
func snakeCase(class string) string {
	s := snakeWord.ReplaceAllString(class, "${1}_$2")
	return strings.ToLower(snakeLower.ReplaceAllString(s, "${1}_$2"))
}

// sort puts groups in the order of their layers in the configuration, those that it has not behind.
func (c kerasConfig) sort(found []varsGroup) {
	place := func(g varsGroup) int {
		if i, ok := c.index[g.name]; ok {
			return i
		}
		return len(c.layers)
	}
	slices.SortStableFunc(found, func(a, b varsGroup) int { return place(a) - place(b) })
}

// parts names the n variables of a layer, which the file only numbers, in the order in which its class makes them. Variables of
// other classes keep their numbers.
func (c kerasConfig) parts(g varsGroup, n int) []string {
	class := ""
	if len(g.path) > 0 {
		class = classOf(g.path[len(g.path)-1])
	}
	var parts []string
	switch class {
	case "conv2d", "conv1d", "conv3d", "conv2d_transpose", "dense", "einsum_dense":
		parts = []string{"kernel", "bias"}
	case "depthwise_conv2d":
		parts = []string{"depthwise_kernel", "bias"}
	case "separable_conv2d":
		parts = []string{"depthwise_kernel", "pointwise_kernel", "bias"}
	case "layer_normalization", "batch_normalization":
		// Keras's own networks leave out the scale, if anything: so does the guess where the file has no configuration.
		center, scale := true, n != 1 && n != 3
		if i, ok := c.index[g.name]; ok {
			if v := c.layers[i].Config.Center; v != nil {
				center = *v
			}
			if v := c.layers[i].Config.Scale; v != nil {
				scale = *v
			}
		} else if class == "batch_normalization" && n == 2 {
			center, scale = false, false
		}
		if scale {
			parts = append(parts, "gamma")
		}
		if center {
			parts = append(parts, "beta")
		}
		if class == "batch_normalization" {
			parts = append(parts, "moving_mean", "moving_variance")
		}
	case "normalization":
		parts = []string{"mean", "variance", "count"}
	case "layer_scale":
		parts = []string{"gamma"}
	}
	for len(parts) < n {
		parts = append(parts, strconv.Itoa(len(parts)))
	}
	return parts
}
