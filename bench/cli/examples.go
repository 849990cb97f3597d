package cli

// examples are what people type, by a command's path: at least two for each command. The first stands in the errors about
// the command's arguments.
var examples = map[string][]string{
	"": {
		"zoobench latency resnet18                # parameters, operations, latency and memory of one network",
		"zoobench run experiments.yaml --dry-run  # what an experiments file would measure",
	},
	"audit": {
		"zoobench audit resnet50.tv_in1k --data val",
		"zoobench audit resnet50.tv_in1k --data val --observed 74.9  # which mistake gives 74.9 %?",
	},
	"cache": {
		"zoobench cache ls",
		"zoobench cache verify",
	},
	"cache ls": {
		"zoobench cache ls",
		"zoobench cache ls --format json",
	},
	"cache verify": {
		"zoobench cache verify                      # every file",
		"zoobench cache verify resnet18.tv_in1k",
	},
	"cache rm": {
		"zoobench cache rm resnet18.tv_in1k",
		"zoobench cache rm 'vgg*'                   # every checkpoint of a VGG",
	},
	"choose": {
		"zoobench choose --data flowers --max-latency 20ms",
		"zoobench choose --data flowers --networks 'resnet*,mobilenetv2_*' --max-params 30M --save heads",
		"zoobench choose --data flowers --fine-tune 30m --save heads",
	},
	"compare": {
		"zoobench compare reports/out/20261123T101500Z-imagenetv2",
		"zoobench compare resnet18.jsonl resnet50.jsonl --metric top5",
	},
	"completion": {
		"zoobench completion bash >~/.local/share/bash-completion/completions/zoobench",
		"zoobench completion fish >~/.config/fish/completions/zoobench.fish",
	},
	"completion bash": {
		"zoobench completion bash >~/.local/share/bash-completion/completions/zoobench  # then start a new shell",
		"zoobench completion bash --no-descriptions",
	},
	"completion zsh": {
		"zoobench completion zsh >~/.zfunc/_zoobench  # a folder of $fpath; then start a new shell",
		"zoobench completion zsh --no-descriptions",
	},
	"completion fish": {
		"zoobench completion fish >~/.config/fish/completions/zoobench.fish",
		"zoobench completion fish --no-descriptions",
	},
	"completion powershell": {
		"zoobench completion powershell >zoobench.ps1",
		"zoobench completion powershell --no-descriptions",
	},
	"data": {
		"zoobench data check ILSVRC2012_img_val.tar",
		"zoobench data make shapes images",
	},
	"data check": {
		"zoobench data check val",
		"zoobench data check images --labels labels.txt --num-classes 1000",
	},
	"data make": {
		"zoobench data make shapes images --train 1000 --val 0 --test 100",
		"zoobench data make shapes large --size 128 --nuisance noise=0 --nuisance clutter=20",
	},
	"doctor": {
		"zoobench doctor",
		"zoobench doctor --format json",
	},
	"eval": {
		"zoobench eval resnet50 --weights tv_in1k --data val",
		"zoobench eval 'resnet*.*' --data val --limit 1000  # every checkpoint of these networks in the cache folder",
		"zoobench eval resnet50.tv_in1k --data val --limit 1000 --corrupt none,fog,gaussian_noise:3",
	},
	"export": {
		"zoobench export resnet50.tv_in1k",
		"zoobench export mobilenetv2_100.ra_in1k --head heads --with-preprocessing --out flowers.onnx",
	},
	"gate": {
		"zoobench gate --base HEAD~1",
		"zoobench gate --base main --bench 'Conv|Gemm' --out gate",
	},
	"gate record": {
		"zoobench gate record",
		"zoobench gate record --suite networks -o networks.json",
	},
	"gate check": {
		"zoobench gate check gate-baseline.json",
		"zoobench gate check gate-baseline.json --threshold 10%",
	},
	"help": {
		"zoobench help latency",
		"zoobench help environment",
	},
	"latency": {
		"zoobench latency resnet18 mobilenetv2_100",
		"zoobench latency mine.onnx resnet18                # an ONNX file beside a network of the zoo",
		"zoobench latency 'vgg1*' --threads 0 --batch 8 --format json",
	},
	"ls": {
		"zoobench ls 'resnet*'",
		"zoobench ls --checkpoints family:mobilenetv2  # with the licence of each",
	},
	"pipeline": {
		"zoobench pipeline squeezenet1_1 --data val",
		"zoobench pipeline resnet18,resnet50 --data val --threads 2 --limit 500",
	},
	"predict": {
		"zoobench predict resnet50 --weights tv_in1k cat.jpg dog.jpg",
		"zoobench predict resnet18.tv_in1k,resnet50.tv_in1k cat.jpg",
	},
	"pull": {
		"zoobench pull mobilenetv2_100 resnet50.tv_in1k",
		"zoobench pull 'mobilenetv3_*'               # the first checkpoint of each",
	},
	"pull data": {
		"zoobench pull data imagenetv2",
		"zoobench pull data imagenetv2 --offline      # is it in the cache folder?",
	},
	"report": {
		"zoobench report reports/out/20261123T101500Z-default",
		"zoobench report --diff reports/out/before reports/out/after",
	},
	"run": {
		"zoobench run experiments.yaml",
		"zoobench run experiments.yaml --only threads --set threads=1,2 --set latency.min_duration=1s",
		"zoobench run experiments.yaml --dry-run --shards 8",
		"zoobench run experiments.yaml --shard 0/8 --out results/shard-0 --resume",
	},
	"samples": {
		"zoobench samples classes resnet50.jsonl",
		"zoobench samples gallery resnet18.jsonl resnet50.jsonl",
	},
	"samples classes": {
		"zoobench samples classes resnet50.jsonl",
		"zoobench samples classes resnet50.jsonl --format csv",
	},
	"samples confusions": {
		"zoobench samples confusions resnet50.jsonl",
		"zoobench samples confusions resnet50.jsonl --limit 5",
	},
	"samples calibration": {
		"zoobench samples calibration resnet50.jsonl",
		"zoobench samples calibration resnet50.jsonl --plot resnet50.svg",
	},
	"quantize": {
		"zoobench quantize resnet50 --weights tv_in1k --data train --out resnet50.int8.safetensors",
		"zoobench quantize vit_tiny_patch16_224 --weights vit.safetensors --data train --limit 64 --out vit.int8.safetensors",
	},
	"samples gallery": {
		"zoobench samples gallery resnet18.jsonl resnet50.jsonl",
		"zoobench samples gallery resnet18.jsonl resnet50.jsonl --data val --out gallery.html",
	},
	"show": {
		"zoobench show resnet50",
		"zoobench show --diff resnet50 resnext50_32x4d",
	},
	"train": {
		"zoobench train resnet18 --weights tv_in1k --data flowers",
		"zoobench train pocket_resnet20 --data flowers --epochs 30 --out flowers.safetensors  # from scratch",
	},
	"validate": {
		"zoobench validate experiments.yaml",
		"zoobench validate experiments.yaml --format json",
	},
	"submit": {
		"zoobench submit slurm study.yaml --shards 64 --constraint sapphirerapids > study.sh",
		"zoobench submit kubernetes study.yaml --image registry/zoobench:0.1.0 --claim zoo > study.yaml",
	},
	"verify": {
		"zoobench verify reports/out/20261123T101500Z-default/results.jsonl:12",
		"zoobench verify reports/out/20261123T101500Z-imagenetv2/results.jsonl:3 --data val",
	},
	"version": {
		"zoobench version",
		"zoobench version --format json",
	},
	"whatif": {
		"zoobench whatif reports/out/20261123T101500Z-choose",
		"zoobench whatif reports/out/20261123T101500Z-choose --classes rose,tulip --max-latency 30ms",
	},
}
