"""Which properties the source of the Google provider calls optional and computed, read from a small service."""

from __future__ import annotations

from pathlib import Path

from tools.gcp_source import GoPackage, Node

THING = """
var schemaShared = map[string]*schema.Schema{
	"zone": {Type: schema.TypeString, Optional: true, Computed: true},
}

func ResourceThing() *schema.Resource {
	return &schema.Resource{
		Schema: tpgresource.MergeSchemas(
			schemaShared,
			map[string]*schema.Schema{
				"name": {
					Type:        schema.TypeString,
					Required:    true,
					Description: `Not "kept": { Optional: true, Computed: true }`,
				},
				// "commented": {Optional: true, Computed: true},
				"plain":  {Type: schema.TypeInt, Optional: true},
				"number": {Type: schema.TypeInt, Computed: true},
				"settings": {
					Optional: true,
					Elem: &schema.Resource{
						Schema: map[string]*schema.Schema{
							"size": {Optional: true, Computed: true},
							"tier": {Required: true},
						},
					},
					MaxItems: 1,
				},
				"node": schemaNode(),
			}),
	}
}

func schemaNode() *schema.Schema {
	return &schema.Schema{
		Optional: true,
		Computed: true,
		Elem:     nodeResource(),
	}
}

func nodeResource() *schema.Resource {
	return &schema.Resource{Schema: map[string]*schema.Schema{"disk": {Optional: true, Computed: true}}}
}

func init() {
	registry.Schema{
		Name:        "google_thing",
		ProductName: "thing",
		Type:        registry.SchemaTypeDataSource,
		Schema:      DataSourceThing(),
	}.Register()
	registry.Schema{
		Name:        "google_thing",
		ProductName: "thing",
		Type:        registry.SchemaTypeResource,
		Schema:      ResourceThing(),
	}.Register()
}
"""


def test_optional_computed_properties_are_recognized_at_every_depth(tmp_path: Path) -> None:
    (tmp_path / "resource_thing.go").write_text(THING)
    (tmp_path / "resource_thing_test.go").write_text("not Go at all {")
    package = GoPackage(tmp_path)
    assert package.functions == {"google_thing": "ResourceThing"}
    properties = package.resource("google_thing")
    assert {name for name, node in properties.items() if node.kept} == {"zone", "node"}
    assert set(properties) == {"zone", "name", "plain", "number", "settings", "node"}
    assert properties["settings"].inside == {"size": Node(kept=True), "tier": Node()}
    assert properties["node"].inside == {"disk": Node(kept=True)}
