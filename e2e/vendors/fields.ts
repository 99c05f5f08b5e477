// The fields of a request at its top level that a vendor knows, as its own SDK has them.

const words = (text: string): string[] => text.trim().split(/\s+/)

/** By path. */
export const OPENAI_FIELDS: Readonly<Record<string, readonly string[]>> = {
  '/v1/chat/completions': words(`
    audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages metadata modalities model
    moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_options prompt_cache_retention
    reasoning_effort response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools
    top_logprobs top_p user verbosity web_search_options`),
  '/v1/completions': words(`
    best_of echo frequency_penalty logit_bias logprobs max_tokens model n presence_penalty prompt seed stop stream stream_options suffix
    temperature top_p user`),
  '/v1/embeddings': words('dimensions encoding_format input model user'),
  '/v1/responses': words(`
    background context_management conversation include input instructions max_output_tokens max_tool_calls metadata model moderation
    parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning
    safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user`),
}

// The sampling fields are no longer in the SDK's types, but older models take them.
const COUNTED = 'cache_control messages model output_config speed system thinking tool_choice tools user_profile_id workspace_id'
const MESSAGE = `${COUNTED} container inference_geo max_tokens metadata service_tier stop_sequences stream temperature top_k top_p`

export const ANTHROPIC_FIELDS: Readonly<Record<string, readonly string[]>> = {
  '/v1/messages': words(MESSAGE),
  '/v1/messages/count_tokens': words(COUNTED),
}

/** Known only to a request with the header `anthropic-beta`. */
export const ANTHROPIC_BETA_FIELDS: readonly string[] = words(`
  billing_policy compaction context_management diagnostics fallback_credit_token fallbacks mcp_servers output_format thread`)

/** What a request must have. */
export const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  '/v1/chat/completions': ['model', 'messages'],
  '/v1/completions': ['model'],
  '/v1/embeddings': ['model', 'input'],
  '/v1/responses': ['model'],
  '/v1/messages': ['model', 'max_tokens', 'messages'],
  '/v1/messages/count_tokens': ['model', 'messages'],
}
