"""Questions whose answers were recorded: the same question keeps giving the same numbers.

Each has a name and the words that are typed. Files are named relative to `tests/data/answers`, `{out}` is a
file to write. The store is `tests/data/store-47a8d94.tar.xz`.
"""

J = ("--format", "json")
H = ("--on", "h100")

QUESTIONS: dict[str, tuple[str, ...]] = {
    # a fitted curve
    "curve-target": ("estimate", "--domain", "captions", "--target-wer", "11%", *J),
    "curve-target-metric": ("estimate", "--domain", "captions", "--target", "wer=9.5%", *J),
    "curve-plain": ("estimate", "--domain", "captions", "--target-wer", "11%", "--plain", *J),
    "curve-form": ("estimate", "--domain", "captions", "--target-wer", "11%", "--form", "power-floor", *J),
    "curve-data": ("estimate", "--domain", "captions", "--data", "1e6 hours", *J),
    "curve-confidence": (
        "estimate",
        "--domain",
        "captions",
        "--target-wer",
        "11%",
        "--confidence",
        "80%",
        *J,
    ),
    "curve-have-price": (
        *("estimate", "--domain", "captions", "--target-wer", "11%", "--have-data", "10000h"),
        *("--data-price", "$12/hour", *J),
    ),
    "curve-unreachable": ("estimate", "--domain", "captions", "--target-wer", "1%", *J),
    "curve-machine-refused": ("estimate", "--domain", "captions", "--target-wer", "11%", *H, *J),
    "curve-csv": ("estimate", "--domain", "captions", "--target-wer", "11%", "--format", "csv"),
    # a fitted curve with model sizes and cost
    "sized-target": ("estimate", "--domain", "asr", "--family", "conformer", "--target-wer", "13%", *J),
    "sized-machine": (
        *("estimate", "--domain", "asr", "--family", "conformer", "--target-wer", "14%", *H),
        *("--count", "16", "--budget", "$2k", "--deadline", "3d", "--assume", "price=2.5", *J),
    ),
    "sized-params": (
        "estimate",
        "--domain",
        "asr",
        "--family",
        "conformer",
        "--metric",
        "wer",
        "--params",
        "50M",
        *J,
    ),
    "sized-flops": (
        "estimate",
        "--domain",
        "asr",
        "--family",
        "conformer",
        "--metric",
        "wer",
        "--flops",
        "1e18",
        *J,
    ),
    "sized-gpu-hours": (
        *("estimate", "--domain", "asr", "--family", "conformer", "--metric", "wer", "--gpu-hours", "100"),
        *("--on", "a100", "--assume", "utilisation=0.3..0.4", *J),
    ),
    "sized-serve": (
        *("estimate", "--domain", "asr", "--family", "conformer", "--target-wer", "14%", *H),
        *("--serve", "1e6 hours", *J),
    ),
    # a joint law
    "joint-target": ("estimate", "--domain", "llm", "--target-loss", "2.6", *J),
    "joint-flops": ("estimate", "--domain", "llm", "--flops", "1e20", *J),
    "joint-pair": ("estimate", "--domain", "llm", "--data", "10B", "--params", "400M", *J),
    "joint-data": ("estimate", "--domain", "llm", "--data", "10B tokens", *J),
    "joint-params": ("estimate", "--domain", "llm", "--params", "600M", *J),
    "joint-smallest": (
        *("estimate", "--domain", "llm", "--target-loss", "2.6", "--have-data", "20B tokens"),
        *("--allocate", "smallest-model", *J),
    ),
    # a calibrated law
    "calibrated-target": ("estimate", "--domain", "teacher", "--target", "error=8%", *J),
    "calibrated-machine": (
        *("estimate", "--domain", "teacher", "--target", "error=8%", "--on", "a100", "--count", "1", *J),
    ),
    "calibrated-data": ("estimate", "--domain", "teacher", "--data", "4096 examples", *J),
    # laws that ship
    "shipped-words": (
        *("estimate", "--source", "shipped", "--domain", "word-lm", "--family", "transformer"),
        *("--target-loss", "5.6", *J),
    ),
    "shipped-speech": ("estimate", "--source", "shipped", "--domain", "speech", "--target-wer", "20%", *J),
    "shipped-speech-cer": (
        "estimate",
        "--source",
        "shipped",
        "--domain",
        "speech",
        "--target-cer",
        "10%",
        *J,
    ),
    "shipped-image": (
        *("estimate", "--source", "shipped", "--domain", "image", "--target", "error=30%", "--on", "v100"),
        *("--precision", "fp16", "--confidence", "50%", *J),
    ),
    "shipped-chars": (
        "estimate",
        "--source",
        "shipped",
        "--domain",
        "char-lm",
        "--data",
        "1e8 characters",
        *J,
    ),
    "shipped-translation": (
        "estimate",
        "--source",
        "shipped",
        "--domain",
        "translation",
        "--flops",
        "1e15",
        *J,
    ),
    "shipped-budget": (
        *("estimate", "--source", "shipped", "--domain", "char-lm", "--budget", "$100", "--on", "a100", *J),
    ),
    "shipped-plain": (
        *("estimate", "--source", "shipped", "--domain", "teacher", "--target", "error=5%", "--plain", *J),
    ),
    # published laws
    "published-words": (
        "estimate",
        "--source",
        "published",
        "--domain",
        "word-lm",
        "--target-loss",
        "2.48",
        *J,
    ),
    "published-language": (
        "estimate",
        "--source",
        "published",
        "--domain",
        "language",
        "--target-loss",
        "2.1",
        *J,
    ),
    "published-language-machine": (
        *("estimate", "--source", "published", "--domain", "language", "--target-loss", "2.1", *H),
        *("--count", "64", "--budget", "$50k", "--deadline", "14d", *J),
    ),
    "published-flops": (
        *("estimate", "--source", "published", "--domain", "language", "--flops", "1e22"),
        *("--have-data", "50B tokens", *J),
    ),
    "published-limits": (
        *("estimate", "--source", "published", "--domain", "language", *H, "--count", "64"),
        *("--budget", "$50k", "--deadline", "14d", *J),
    ),
    "published-serve": (
        *("estimate", "--source", "published", "--domain", "language", "--target-loss", "2.1"),
        *("--serve", "1e13 tokens", *J),
    ),
    "published-speech": ("estimate", "--source", "published", "--domain", "speech", "--target-cer", "5%", *J),
    "published-by-id": ("estimate", "--law", "besiroglu2024", "--target", "2.0", *J),
    "published-fleet": (
        *("estimate", "--source", "published", "--domain", "language", "--target-loss", "2.2"),
        *("--on", "h100", "--fleet", "fleet.toml", *J),
    ),
    # tables of questions
    "what-if-target": (
        *(
            "what-if",
            "--source",
            "published",
            "--domain",
            "language",
            "--target-loss",
            "2.2,2.1",
            "--on",
            "h100,a100",
        ),
        *("--count", "64", *J),
    ),
    "what-if-pair": (
        *(
            "what-if",
            "--source",
            "published",
            "--domain",
            "language",
            "--data",
            "100B,1T",
            "--params",
            "1B,7B",
            *J,
        ),
    ),
    "what-if-curve": ("what-if", "--domain", "captions", "--target-wer", "12%,11%", *J),
    "frontier": (
        *("frontier", "--source", "published", "--domain", "language", *H, "--count", "64", "--from", "$1k"),
        *("--to", "$1M", *J),
    ),
    "frontier-sized": ("frontier", "--domain", "asr", "--family", "conformer", "--metric", "wer", *H, *J),
    # families, runs, proposals
    "compare": ("compare", "--domain", "asr", "--metric", "loss", *J),
    "compare-shipped": ("compare", "--source", "shipped", "--domain", "word-lm", *J),
    "check": ("check", "new-runs.csv", "--domain", "captions", "--metric", "wer", *J),
    "next-calibrated": ("next", "--domain", "teacher", "--target", "error=8%", "--budget", "1e12", *J),
    # pages and lists
    "review": ("review", "plan.toml", "--today", "2026-11-23", *J),
    "review-own": ("review", "captions.toml", "--today", "2026-11-23", *J),
    "laws-list": ("laws", "list", *J),
    "laws-list-published": ("laws", "list", "--source", "published", *J),
    "laws-show-curve": ("laws", "show", "518e28602f428a87", *J),
    "laws-show-joint": ("laws", "show", "b5706db0838b4f9a", *J),
    "laws-show-published": ("laws", "show", "hestness2017-wordlm", *J),
    "runs-list": ("runs", "list", *J),
    "forecasts-list": ("forecasts", "list", *J),
    "track-record": ("track-record", *J),
    "accelerators-show": ("accelerators", "show", "h200", *J),
    # fitted anew
    "fit-curve": (
        *("fit", "../whisper2022-medium-english.csv", "--domain", "again", "--metric", "wer"),
        *("--data-unit", "hours", *J),
    ),
    "fit-sizes": ("fit", "sizes.csv", "--domain", "again", "--metric", "wer", "--data-unit", "hours", *J),
    "fit-joint": (
        *("fit", "ladder.csv", "--domain", "again", "--metric", "loss", "--data-unit", "tokens"),
        *("--metric-unit", "nats/token", *J),
    ),
    "fit-form": (
        *("fit", "../hestness2017-speech-ds2.csv", "--domain", "again", "--metric", "loss"),
        *("--data-unit", "hours", "--form", "power", *J),
    ),
    "extrapolate": ("extrapolate", "curves.csv", "--out", "{out}", "--processes", "1"),
}
