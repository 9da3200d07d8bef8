"""The clients: name, version and month of release, and the conversation of each name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.sdk_environments.environments import ENVIRONMENTS, MOBILECLI, Environment

SURFACES = Path(__file__).resolve().parents[1] / "surfaces"


@dataclass(frozen=True)
class Conversation:
    """A script that checks each answer; {url} in an argument or variable is the double's."""

    script: str
    arguments: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return SURFACES / self.script


@dataclass(frozen=True)
class Client:
    """A version of a client, and the program of it that a conversation runs, if it is one."""

    name: str
    version: str
    month: str
    program: str | None = None

    @property
    def key(self) -> str:
        return f"{self.name}-{self.version}".replace("-(npm)", "")

    @property
    def environment(self) -> Environment:
        if self.name in NPM:
            return ENVIRONMENTS["npm"]
        return ENVIRONMENTS.get(self.key) or Environment.pip(self.key)


GALTEA_KEY = "gsk_0123456789abcdef"  # its command line refuses shorter ones
FLEET = {"MOBILECLI_FLEET_URL": "{socket}/ws", "MOBILECLI_TOKEN": "mob_test"}
CONVERSATIONS = {
    "galtea": Conversation(
        "galtea/conversation_galtea.py", (GALTEA_KEY,), {"GALTEA_API_URL": "{url}/galtea"}
    ),
    "galtea-cli": Conversation(
        "galtea/conversation_galtea_cli.py", ("{url}/galtea",), {"GALTEA_API_KEY": GALTEA_KEY}
    ),
    "notte": Conversation("notte/conversation_notte.py", ("{url}/notte", "sk-notte-ana")),
    "notte-sdk": Conversation(
        "notte/conversation_notte_sdk.py",
        variables={
            "NOTTE_API_URL": "{url}/notte",
            "NOTTE_API_KEY": "sk-notte-ana",
            "DISABLE_TELEMETRY": "true",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # 1.5 looks for prices of models otherwise
        },
    ),
    "notte-sdk (npm)": Conversation(
        "notte/conversation_notte_sdk.mjs", ("{url}/notte", "sk-notte-ana")
    ),
    "scale-gp": Conversation("scale/conversation_scale_gp.py", ("{url}", "scale_gp")),
    "scale-gp-beta": Conversation("scale/conversation_scale_gp.py", ("{url}", "scale_gp_beta")),
    "scale-egp": Conversation(
        "scale/conversation_scale_egp.py",
        variables={"EGP_ENDPOINT_URL": "{url}/scale", "EGP_API_KEY": "anything"},
    ),
    "mobilecli": Conversation("mobilenext/conversation_mobilecli.py", variables=FLEET),
    "driver-mobilenext": Conversation("mobilenext/conversation_driver.mjs", ("{url}",)),
    "mobile-mcp": Conversation(
        "mobilenext/conversation_mobile_mcp.mjs",
        ("{guard}",),
        {**FLEET, "MOBILECLI_PATH": "{program}", "MOBILEMCP_DISABLE_TELEMETRY": "1"},
    ),
}
MOBILECLI_1_0_13 = "node_modules/mobilecli-1.0.13/mobilecli-linux-amd64"
NPM = ("notte-sdk (npm)", "mobilecli", "driver-mobilenext", "mobile-mcp")
CLIENTS = (
    Client("galtea", "4.18.0", "2026-03"),
    Client("galtea", "4.22.0", "2026-04"),
    Client("galtea", "4.29.0", "2026-06"),
    Client("galtea", "4.36.0", "2026-07"),
    Client("galtea", "4.41.0", "2026-08"),
    Client("galtea", "5.0.0", "2026-08"),
    Client("galtea", "5.4.0", "2026-09"),
    Client("galtea", "5.8.1", "2026-10"),
    Client("galtea", "5.12.0", "2026-10"),
    Client("galtea-cli", "5.13.0", "2026-10", "bin/galtea"),
    Client("notte", "1.2.1", "2025-01"),
    Client("notte-sdk", "1.4.1", "2025-04"),
    Client("notte-sdk", "1.5.0", "2025-06"),
    Client("notte-sdk", "1.5.2", "2025-06"),
    Client("notte-sdk", "1.7.9", "2025-10"),
    Client("notte-sdk", "1.8.0", "2026-01"),
    Client("notte-sdk", "1.8.41", "2026-09"),
    Client("notte-sdk", "1.9.7", "2026-10"),
    Client("notte-sdk", "1.10.0", "2026-10"),
    Client("notte-sdk (npm)", "0.0.3", "2026-08"),
    Client("scale-gp", "0.1.0a30", "2024-09"),
    Client("scale-gp", "0.1.0a45", "2024-09"),
    Client("scale-gp", "0.1.0a62", "2026-05"),
    Client("scale-gp-beta", "0.1.0", "2026-04"),
    Client("scale-gp-beta", "0.4.0", "2026-08"),
    Client("scale-gp-beta", "0.7.0", "2026-09"),
    Client("scale-egp", "1.0.5", "2024-03"),
    Client("scale-egp", "1.1.15", "2024-08"),
    Client("mobilecli", "1.0.9", "2026-09", MOBILECLI),
    Client("mobilecli", "1.0.13", "2026-09", MOBILECLI_1_0_13),
    Client("driver-mobilenext", "0.0.57", "2026-09"),
    Client("mobile-mcp", "1.0.4", "2026-09", MOBILECLI),
)
