"""Questions whose answers are recorded: by name, the words after `planner` as a shell would read them.

`{data}` is tests/data/answers, `{out}` an empty folder, `{store}` a copy of the recorded store. Where a
command takes `--store` and `--format json`, `words` adds them.
"""

import shlex
from collections.abc import Mapping

TODAY = "2026-11-23"  # the day on which all is asked
WRITES = {"extrapolate": "{out}/forecasts.csv"}  # the answer is the file, not what is printed
NO_STORE = {"accelerators", "extrapolate", "laws import"}
NO_FORMAT = {"extrapolate", "laws import", "laws export", "runs export"}

QUESTIONS = {
    # estimates by shipped laws, from every end
    "shipped-speech-target": "estimate --source shipped --domain speech --target-wer 5%",
    "shipped-speech-target-cer": "estimate --source shipped --domain speech --target-cer 2% --family ds2",
    "shipped-speech-on-h100": "estimate --source shipped --domain speech --target-wer 20% --on h100",
    "shipped-speech-have": "estimate --source shipped --domain speech --target-wer 20% --on h100 "
    "--have-data 100h --data-price '$12/hour'",
    "shipped-speech-serve": "estimate --source shipped --domain speech --target-wer 20% --on l4 "
    "--serve '1M hours' --count 4 --precision fp16",
    "shipped-speech-confidence": "estimate --source shipped --domain speech --target-wer 30% "
    "--confidence 60%",
    "shipped-speech-refused": "estimate --source shipped --domain speech --target-wer 5% --confidence 95%",
    "shipped-speech-data": "estimate --source shipped --domain speech --metric wer --data 1000h",
    "shipped-speech-plain": "estimate --source shipped --domain speech --metric wer --data 1000h --plain",
    "shipped-image-params": "estimate --source shipped --domain image --metric error --family resnet18 "
    "--params 30M",
    "shipped-image-flops": "estimate --source shipped --domain image --metric error --family vit "
    "--flops 1e18",
    "shipped-image-top5": "estimate --source shipped --domain image --target top5-error=5% --on rtx4090",
    "shipped-char-lm-loss": "estimate --source shipped --domain char-lm --target loss=1.9 --on a100",
    "shipped-word-lm-gpu-hours": "estimate --source shipped --domain word-lm --metric loss --gpu-hours 5 "
    "--on v100 --count 1",
    "shipped-word-lm-perplexity": "estimate --source shipped --domain word-lm --metric perplexity "
    "--family transformer --data 10M",
    "shipped-translation-budget": "estimate --source shipped --domain translation --metric unbleu "
    "--budget '$50' --on h100",
    "shipped-translation-form": "estimate --source shipped --domain translation --metric loss "
    "--form power-floor --data 10M",
    "shipped-teacher-deadline": "estimate --source shipped --domain teacher --metric error --deadline 1d "
    "--on a10g --count 1",
    # by published laws
    "published-surface-target": "estimate --source published --law besiroglu2024 --target 2.1 --on h100 "
    "--count 256",
    "published-surface-flops": "estimate --law besiroglu2024 --flops 1e23 --on h200",
    "published-surface-pair": "estimate --law besiroglu2024 --data 300B --params 7B",
    "published-surface-smallest": "estimate --law besiroglu2024 --target 2.1 --have-data '3T tokens' "
    "--allocate smallest-model --on h100",
    "published-surface-limits": "estimate --law besiroglu2024 --target 2.1 --have-data '300B tokens' "
    "--data-price '$1/1M tokens' --budget '$1M' --deadline 90d --on h100 --count 256",
    "published-surface-serve": "estimate --law besiroglu2024 --target 2.2 --serve '1e13 tokens' --on h100",
    "published-repeated": "estimate --law muennighoff2023 --target 2.6 --have-data '50B tokens' --on tpu-v5p",
    "published-chinchilla-gpu-hours": "estimate --law hoffmann2022-approach3-tex --gpu-hours 5000 --on h100",
    "published-word-lm": "estimate --source published --domain word-lm --target-loss 2.6 --on mi300x",
    "published-word-lm-day": "estimate --source published --domain word-lm --target-loss 2.6 --on h100 "
    "--count 64 --deadline 2027-03-01 --budget '$25k'",
    "published-nmt": "estimate --law hestness2019-nmt-curve --target 30% --on h100",
    "published-speech": "estimate --source published --domain speech --target-cer 5% --on h100 --count 32",
    # by the store: fitted and calibrated
    "captions-target": "estimate --domain captions --target-wer 8% --on h100-sxm",
    "captions-data": "estimate --domain captions --data 5000h --on h200 --count 16",
    "captions-params": "estimate --domain captions --params 100M",
    "captions-flops": "estimate --domain captions --flops 1e18",
    "captions-gpu-hours": "estimate --domain captions --gpu-hours 2 --on h100-sxm --count 1",
    "captions-budget": "estimate --domain captions --budget '$3' --on a100 --count 2",
    "captions-deadline": "estimate --domain captions --deadline 2026-11-24 --on l40s --count 1",
    "captions-confidence": "estimate --domain captions --target-wer 8% --confidence 80%",
    "captions-all": "estimate --domain captions --target-wer 8% --on h100 --have-data 1000h "
    "--data-price '$12/hour' --budget '$100k' --deadline 30d --serve '1M hours'",
    "captions-assume": "estimate --domain captions --target-wer 8% --on h100-sxm --precision fp32 "
    "--assume utilisation=0.35..0.42 --assume price=2",
    "captions-fleet": "estimate --domain captions --target-wer 8% --on in-house --fleet {data}/fleet.toml",
    "captions-power-floor": "estimate --domain captions --target-wer 8% --form power-floor",
    "asr-target": "estimate --domain my-asr --target-wer 15%",
    "lm-target": "estimate --domain lm --target-loss 2.4 --on b200",
    "lm-flops": "estimate --domain lm --flops 1e23 --on h100 --count 512",
    "lm-pair": "estimate --domain lm --data 1T --params 10B",
    "lm-smallest": "estimate --domain lm --target-loss 2.4 --allocate smallest-model --have-data 1T",
    "teacher-target": "estimate --domain teacher --target error=8%",
    "teacher-data": "estimate --source calibrated --domain teacher --metric loss --data 2000 --on l4",
    # tables of answers
    "what-if-targets": "what-if --source shipped --domain speech --target-wer 15%,20%,30% --on h100,a100",
    "what-if-assume": "what-if --domain captions --target-wer 8% --on h100 --assume price=1,2,3 "
    "--show dollars",
    "what-if-data": "what-if --domain lm --data 100B,1T --params 1B,7B",
    "frontier-captions": "frontier --domain captions --on h100 --points 4",
    "frontier-published": "frontier --law besiroglu2024 --on h100 --from '$1k' --to '$1M' --points 4",
    "frontier-flops": "frontier --source shipped --domain image --metric error --against flops --points 3",
    "compare-shipped": "compare --source shipped --domain speech --metric wer",
    "compare-fitted": "compare --domain old-speech --at 1000h",
    "check-captions": "check {data}/new-runs.csv --domain captions --metric wer --samples-column seen",
    "next-captions": "next --domain captions --target-wer 8% --budget 1e18",
    "next-teacher": "next --domain teacher --target error=8% --budget 1e10",
    "review-published": "review {data}/plan.toml --no-save",
    "review-captions": "review {data}/captions.toml --no-save",
    # what is there
    "laws-list": "laws list --all",
    "laws-show-forecast": "laws show a06b2290ba456df1",
    "laws-show-size": "laws show 6f67edb8db908431",
    "laws-show-surface": "laws show c79af658f5930dbd",
    "laws-show-published": "laws show besiroglu2024",
    "laws-show-shipped": "laws show 187d55b198caa4a0",
    "laws-export": "laws export c79af658f5930dbd",
    "runs-list": "runs list",
    "runs-show": "runs show 03bee5f6e002453a",
    "runs-export": "runs export --format json",
    "accelerators-list": "accelerators list",
    "accelerators-show": "accelerators show h100",
    "accelerators-assumptions": "accelerators assumptions",
    "accelerators-fleet": "accelerators show in-house --fleet {data}/fleet.toml",
    "forecasts-list": "forecasts list",
    "forecasts-show": "forecasts show 49e701b9e2c12638",
    "outcome-list": "outcome list",
    "track-record": "track-record",
    "store-check": "store check",
    "store-rebuild": "store rebuild",
    # sampled again
    "fit-power": "fit {data}/../hestness2017-speech-ds2.csv --domain again --metric loss --data-unit hours "
    "--form power",
    "fit-captions": "fit {data}/captions.csv --domain again --metric wer --data-unit hours "
    "--samples-column seen --form power-floor",
    "fit-forecast": "fit {data}/../whisper2022-medium-english.csv --domain again --metric wer "
    "--data-unit hours --form forecast --seed 1",
    "extrapolate": "extrapolate {data}/curves.csv --out {out}/forecasts.csv --processes 1",
}


def words(name: str, places: Mapping[str, str]) -> list[str]:
    """Return the argv of a question, its places filled in, asked for JSON where there is JSON."""
    asked = shlex.split(QUESTIONS[name])
    command = " ".join(asked[: 1 + (asked[0] in ("laws", "runs"))])
    if command not in NO_STORE:
        asked += ["--store", "{store}"]
    if command not in NO_FORMAT:
        asked += ["--format", "json"]
    return [filled(word, places) for word in asked]


def filled(word: str, places: Mapping[str, str]) -> str:
    """Return a word with its `{places}` filled in."""
    for place, path in places.items():
        word = word.replace(f"{{{place}}}", path)
    return word
