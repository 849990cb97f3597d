package zoo

// Touvron, Cord, Douze, Massa, Sablayrolles, Jégou: Training data-efficient image transformers & distillation through
// attention (DeiT), 2020, arXiv:2012.12877, table 1. The encoder is vit.go's.
//
// As released: a distilled network has a second token and a second classifier; in evaluation the result is their mean. One
// without distillation computes what the vit of its size does; its name stands for its training and its recipe.
var deits = family{name: "deit", year: 2020, paper: "arXiv:2012.12877", rows: []row{
	{"deit_tiny_patch16_224", vitTiny.build, 224, 5_717_416, 1_253_683_200, bicubic90},
	{"deit_small_patch16_224", vitSmall.build, 224, 22_050_664, 4_598_882_304, bicubic90},
	{"deit_base_patch16_224", vitBase.build, 224, 86_567_656, 17_563_828_224, bicubic90},
	{"deit_base_patch16_384", vitBase.at(384).build, 384, 86_859_496, 55_484_350_464, bicubic100},
	{"deit_tiny_distilled_patch16_224", vitTiny.distil().build, 224, 5_910_800, 1_261_003_776, bicubic90},
	{"deit_small_distilled_patch16_224", vitSmall.distil().build, 224, 22_436_432, 4_624_140_288, bicubic90},
	{"deit_base_distilled_patch16_224", vitBase.distil().build, 224, 87_338_192, 17_656_811_520, bicubic90},
	{"deit_base_distilled_patch16_384", vitBase.distil().at(384).build, 384, 87_630_032, 55_591_342_080, bicubic100},
},
	variants: []variants{{variant: deitVariant}},
	renames: []renames{
		{of: deitsDistilled(false), table: vitTransformers(false)}, {of: deitsDistilled(true), table: vitTransformers(true)},
	},
}

// deitsDistilled are the rows with a token for distillation, or those without.
func deitsDistilled(distilled bool) []string {
	if distilled {
		return []string{"deit_tiny_distilled_patch16_224", "deit_small_distilled_patch16_224", "deit_base_distilled_patch16_224",
			"deit_base_distilled_patch16_384"}
	}
	return []string{"deit_tiny_patch16_224", "deit_small_patch16_224", "deit_base_patch16_224", "deit_base_patch16_384"}
}
