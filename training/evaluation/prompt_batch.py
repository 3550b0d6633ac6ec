"""Prompts as one padded batch, with the right answers behind them where their loss is wanted."""

from __future__ import annotations

from collections.abc import Sequence

import torch


class PromptBatch:
    """Prompts padded on the left, so that all end at the same column; right answers after them, padded on the right."""

    def __init__(
        self, prompts: Sequence[Sequence[int]], gold: Sequence[Sequence[int]] | None, pad_id: int, device: torch.device
    ) -> None:
        self.prompts = prompts
        self.pad_id = pad_id
        self.width = max(len(prompt) for prompt in prompts)
        answers = gold or [() for _ in prompts]
        # the last answer token is predicted, never read
        self.tail = max((len(answer) - 1 for answer in answers), default=0) if gold else 0
        rows = len(prompts)
        self.ids = torch.full((rows, self.width + self.tail), pad_id, dtype=torch.long)
        self.mask = torch.zeros((rows, self.width + self.tail), dtype=torch.long)
        self.targets = torch.full((rows, self.width + self.tail), -100, dtype=torch.long)
        for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
            read = [*prompt, *answer[:-1]]
            start = self.width - len(prompt)
            self.ids[row, start : start + len(read)] = torch.tensor(read)
            self.mask[row, start : start + len(read)] = 1
            if answer:
                self.targets[row, self.width - 1 : self.width - 1 + len(answer)] = torch.tensor(list(answer))
        self.positions = (self.mask.cumsum(1) - 1).clamp(min=0)
        self.has_gold = gold is not None
        for name in ("ids", "mask", "targets", "positions"):
            setattr(self, name, getattr(self, name).to(device))

    def ends(self) -> torch.Tensor:
        """True at each prompt's last token, [rows, sequence]."""
        where = torch.zeros_like(self.mask, dtype=torch.bool)
        where[:, self.width - 1] = True
        return where

    def inputs(self) -> dict[str, torch.Tensor]:
        return {"input_ids": self.ids, "attention_mask": self.mask, "position_ids": self.positions}
