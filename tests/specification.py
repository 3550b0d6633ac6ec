"""The task.yaml of the specification, as its own example writes it: what people bring along has to be read as it stands."""

TASK_YAML = """\
# task.yaml（教練產生，使用者確認）
task_name: entity-sentiment
version: v1
task_type: classification
domain: finance
language: zh-TW
input_template: |
  分析以下文本對「{entity}」的情感傾向。
  文本：{text}
output_format:
  type: json
  schema:
    sentiment:
      type: string
      enum: ["正面", "負面", "中立"]
training:
  base_model: Qwen/Qwen3-4B
  method: sft
  lora:
    r: 32
    alpha: 64
  epochs: 8
  learning_rate: 1e-5
success_criteria:
  primary_metric: macro_f1
  threshold: 0.80
execution:
  type: remote_ssh
  host: user@gpu-server
versioning:
  strategy: semantic         # semantic | date | hybrid
  naming: "{task}-v{n}"
  retention: 3
  deploy_target: huggingface
"""

TRAINABLE_HERE = TASK_YAML.replace("Qwen/Qwen3-4B", "starter/gemma-3-270m").replace(
    "type: remote_ssh\n  host: user@gpu-server", "type: local"
)
