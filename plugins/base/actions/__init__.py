"""Actions: what automations, workflows and approvals do. One file each."""
