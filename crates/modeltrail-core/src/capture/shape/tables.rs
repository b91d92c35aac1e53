//! The shapes: a table for each, and their names.

use std::sync::LazyLock;

use super::stream::Family;
use super::table::{NOTHING, Table};
use crate::capture::path::{PathPattern, PathVars};

/// Most slashes of a path at which the paths of tables are looked for: what they stand behind is a prefix or two of
/// a gateway.
const N_PLACES_MAX: usize = 16;

/// The paths of all tables, in the order in which they are tried.
static PATHS: LazyLock<Vec<(Shape, PathPattern)>> = LazyLock::new(|| {
    let of_shape = |shape: &Shape| {
        let paths = shape.table().map_or(&[][..], |table| table.paths);
        let shape = *shape;
        paths.iter().filter_map(move |text| Some((shape, PathPattern::parse(text, "").ok()?)))
    };
    Shape::ALL.iter().flat_map(of_shape).collect()
});

/// How a request and its answer are built.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Any JSON.
    Json,
    /// Anything: kept as bytes.
    Bytes,
    /// OpenAI chat completions.
    OpenAiChat,
    /// OpenAI completions.
    OpenAiCompletions,
    /// OpenAI responses.
    OpenAiResponses,
    /// OpenAI embeddings.
    OpenAiEmbeddings,
    /// Anthropic messages.
    AnthropicMessages,
    /// KServe's V1 data plane.
    KserveV1,
    /// The Open Inference Protocol, V2 of KServe's data plane.
    OpenInferenceV2,
    /// MLflow's scoring server.
    Mlflow,
    /// TorchServe's inference API.
    TorchServe,
}

impl Shape {
    /// Every shape. Those that paths recognise come in the order in which they are tried.
    pub const ALL: &'static [Self] = &[
        Self::Json,
        Self::Bytes,
        Self::OpenAiChat,
        Self::OpenAiCompletions,
        Self::OpenAiResponses,
        Self::OpenAiEmbeddings,
        Self::AnthropicMessages,
        Self::KserveV1,
        Self::OpenInferenceV2,
        Self::Mlflow,
        Self::TorchServe,
    ];

    /// The name in configurations and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Bytes => "bytes",
            Self::OpenAiChat => "openai_chat",
            Self::OpenAiCompletions => "openai_completions",
            Self::OpenAiResponses => "openai_responses",
            Self::OpenAiEmbeddings => "openai_embeddings",
            Self::AnthropicMessages => "anthropic_messages",
            Self::KserveV1 => "kserve_v1",
            Self::OpenInferenceV2 => "open_inference_v2",
            Self::Mlflow => "mlflow",
            Self::TorchServe => "torchserve",
        }
    }

    /// The shape of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|shape| shape.name() == name)
    }

    /// The shape whose paths this is one of, behind any prefix.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let found = PATHS.iter().find(|(_, pattern)| ends(path, pattern).is_some());
        found.map(|(shape, _)| *shape)
    }

    /// What the path names, as the shape's table says.
    pub(super) fn variables(self, path: &str) -> Option<PathVars> {
        let mut own = PATHS.iter().filter(|(shape, _)| *shape == self);
        own.find_map(|(_, pattern)| ends(path, pattern))
    }

    pub(super) const fn table(self) -> Option<&'static Table> {
        match self {
            Self::Json | Self::Bytes => None,
            Self::OpenAiChat => Some(&OPENAI_CHAT),
            Self::OpenAiCompletions => Some(&OPENAI_COMPLETIONS),
            Self::OpenAiResponses => Some(&OPENAI_RESPONSES),
            Self::OpenAiEmbeddings => Some(&OPENAI_EMBEDDINGS),
            Self::AnthropicMessages => Some(&ANTHROPIC_MESSAGES),
            Self::KserveV1 => Some(&KSERVE_V1),
            Self::OpenInferenceV2 => Some(&OPEN_INFERENCE_V2),
            Self::Mlflow => Some(&MLFLOW),
            Self::TorchServe => Some(&TORCHSERVE),
        }
    }
}

/// The variables of a path that ends as a pattern says.
fn ends(path: &str, pattern: &PathPattern) -> Option<PathVars> {
    let mut places = path.match_indices('/').take(N_PLACES_MAX);
    places.find_map(|(at, _)| pattern.matches(path.get(at..)?))
}

/// Many servers speak OpenAI's shapes, so that a shape of it says nothing of who serves.
const OPENAI: Table = Table {
    model: &["/model"],
    model_of_answer: &["/model"],
    version: &["/model"],
    user: &["/safety_identifier", "/user"],
    usage: &["/usage"],
    decoding: &[
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "n",
        "best_of",
        "seed",
        "stop",
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "frequency_penalty",
        "presence_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "response_format",
        "text",
        "reasoning",
        "reasoning_effort",
        "verbosity",
        "tool_choice",
        "parallel_tool_calls",
        "service_tier",
        "truncation",
        "dimensions",
        "encoding_format",
    ],
    ..NOTHING
};

/// <https://platform.openai.com/docs/api-reference/chat>
const OPENAI_CHAT: Table = Table {
    paths: &["/chat/completions"],
    finish_reason: &["/choices/0/finish_reason"],
    stream: Family::OpenAiChoices,
    ..OPENAI
};

/// <https://platform.openai.com/docs/api-reference/completions>
const OPENAI_COMPLETIONS: Table = Table { paths: &["/completions"], ..OPENAI_CHAT };

/// <https://platform.openai.com/docs/api-reference/responses>. A conversation is a session; a response that another one
/// goes on from is none, since its id changes with each turn.
const OPENAI_RESPONSES: Table = Table {
    paths: &["/responses"],
    session: &["/conversation/id", "/conversation"],
    finish_reason: &["/incomplete_details/reason", "/status"],
    stream: Family::OpenAiResponses,
    ..OPENAI
};

/// <https://platform.openai.com/docs/api-reference/embeddings>
const OPENAI_EMBEDDINGS: Table = Table { paths: &["/embeddings"], ..OPENAI };

/// <https://docs.anthropic.com/en/api/messages>
const ANTHROPIC_MESSAGES: Table = Table {
    paths: &["/v1/messages"],
    provider: Some("anthropic"),
    model: &["/model"],
    model_of_answer: &["/model"],
    version: &["/model"],
    user: &["/metadata/user_id"],
    usage: &["/usage"],
    finish_reason: &["/stop_reason"],
    decoding: &[
        "temperature",
        "top_p",
        "top_k",
        "max_tokens",
        "stop_sequences",
        "thinking",
        "tool_choice",
        "service_tier",
    ],
    stream: Family::Anthropic,
    ..NOTHING
};

/// <https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol>
const KSERVE_V1: Table = Table {
    paths: &["/v1/models/{model}:predict", "/v1/models/{model}:explain"],
    decoding_in: Some("/parameters"),
    decoding: DECODING_OF_GENERATORS,
    ..NOTHING
};

/// <https://github.com/kserve/open-inference-protocol>
const OPEN_INFERENCE_V2: Table = Table {
    paths: &[
        "/v2/models/{model}/infer",
        "/v2/models/{model}/versions/{version}/infer",
        "/v2/models/{model}/generate",
        "/v2/models/{model}/versions/{version}/generate",
        "/v2/models/{model}/generate_stream",
        "/v2/models/{model}/versions/{version}/generate_stream",
    ],
    model_of_answer: &["/model_name"],
    version: &["/model_version"],
    decoding_in: Some("/parameters"),
    decoding: DECODING_OF_GENERATORS,
    stream: Family::TextOutput,
    ..NOTHING
};

/// Parameters that servers of generators take.
const DECODING_OF_GENERATORS: &[&str] =
    &["temperature", "top_p", "top_k", "max_tokens", "max_new_tokens", "seed", "stop", "stream"];

/// <https://mlflow.org/docs/latest/deployment/deploy-model-locally>
const MLFLOW: Table = Table {
    paths: &["/invocations"],
    decoding_in: Some("/params"),
    decoding: DECODING_OF_GENERATORS,
    ..NOTHING
};

/// <https://pytorch.org/serve/inference_api.html>
const TORCHSERVE: Table = Table {
    paths: &[
        "/predictions/{model}/{version}",
        "/predictions/{model}",
        "/explanations/{model}",
        "/wfpredict/{model}",
    ],
    ..NOTHING
};
