"""What the product's runner answers about payloads is what its codec and converter expect."""

from temporalio.converter import WithSerializationContext

from models.codec import JsonConverter, SealingCodec


def test_nothing_of_ours_asks_for_the_context_that_the_runner_leaves_out() -> None:
    """The day a codec or converter wants contexts, `workflows.runner` must give them."""
    assert not issubclass(SealingCodec, WithSerializationContext)
    for part in JsonConverter().converters.values():
        assert not isinstance(part, WithSerializationContext)
