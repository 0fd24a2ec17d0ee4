"""The one form of the pages."""

from __future__ import annotations

from django import forms

from clusterviz.cluster.models.base import NAME


class ClusterForm(forms.Form):
    """A new cluster: what it is called, and how it is announced."""

    name = forms.CharField(max_length=63, validators=[NAME], help_text="lower case letters, digits and -")
    title = forms.CharField(max_length=200, required=False, label="Title (optional)")
