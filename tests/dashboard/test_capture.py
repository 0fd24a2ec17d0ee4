"""Captures over HTTP: the list of points, a file a point, and wrong questions answered in words."""

import struct
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from clusterviz.cluster.models import Cluster

QUESTION = {"from": "internet", "to": "http://shop.example.com/", "seed": "3"}


def ask(client: Client, **more: str) -> Any:
    return client.get("/clusters/demo/capture?" + urlencode(QUESTION | more))


def test_every_listed_point_downloads_as_a_pcap(client: Client, living: Cluster) -> None:
    listed = ask(client).json()["points"]
    assert {"id", "label", "node", "interface"} == set(listed[0])
    assert listed[0]["id"] == "internet"
    for point in listed:
        answer = ask(client, point=point["id"])
        assert answer["Content-Type"] == "application/vnd.tcpdump.pcap"
        assert answer["Content-Disposition"] == f'attachment; filename="demo-{point["id"]}.pcap"'
        magic, _, _, _, _, _, link = struct.unpack("<IHHiIII", answer.content[:24])
        assert (magic, link) == (0xA1B2C3D4, 1)
        assert len(answer.content) > 24


def test_a_point_the_packet_does_not_pass_is_answered_with_those_it_does(client: Client, living: Cluster) -> None:
    answer = ask(client, point="node_n9_eth0")
    assert answer.status_code == 404
    body = answer.json()
    assert body["field"] == "point" and "node_n9_eth0" in body["error"]
    assert "internet" in body["allowed"].split(", ")


def test_a_bad_question_names_its_field(client: Client, living: Cluster) -> None:
    answer = client.get("/clusters/demo/capture?from=internet&to=")
    assert (answer.status_code, answer.json()["field"]) == (400, "to")


def test_a_forgotten_connection_and_an_unknown_cluster_are_named(client: Client, living: Cluster) -> None:
    assert client.get("/clusters/demo/capture?connection=c9").status_code == 404
    assert client.get("/clusters/nowhere/capture?from=internet&to=10.0.0.1:80").status_code == 404
