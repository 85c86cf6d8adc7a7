"""Is it the same company, whatever its legal form and however it was typed?"""

import pytest

from engine.matching.company import company

SAME = [
    ("Acme Co., Ltd.", "ACME Limited"),
    ("Acme, Inc.", "acme"),
    ("Acme Corp", "The Acme Corporation"),
    ("Acme LLC", "ACME L.L.C."),
    ("Ａｃｍｅ　Ｌｔｄ", "Acme Ltd"),
    ("Barnes & Noble Inc.", "Barnes and Noble"),
    ("Moody's Corporation", "Moodys Corp."),
    ("Müller & Co. KG", "MULLER GmbH & Co. KG"),
    ("Müller G.m.b.H.", "Müller"),
    ("Société Générale S.A.", "Societe Generale"),
    ("Grupo Bimbo, S. A. B. de C. V.", "grupo bimbo"),
    ("Novo Nordisk A/S", "Novo Nordisk"),
    ("Orlen Sp. z o.o.", "ORLEN"),
    ("PT Telkom Indonesia Tbk", "Telkom Indonesia"),
    ("Tata Motors Pvt. Ltd.", "TATA Motors Private Limited"),
    ("Petronas Sdn. Bhd.", "Petronas"),
    ("3 M Company", "3M"),
    ("Coca-Cola", "Coca Cola Co."),
    ("华为技术有限公司", "华为技术"),
    ("华为技术有限公司", "华为 技术 股份有限公司"),
    ("上海华东精密机械有限责任公司", "上海华东精密机械集团公司"),
    ("阿里巴巴集团控股有限公司", "阿里巴巴（集团）"),
    ("中国图书进出口总公司", "中国图书进出口"),
    ("華東精密集團股份有限公司", "華東精密"),
    ("华为（上海）有限公司", "华为(上海)有限公司"),
    ("华为（上海）有限公司", "华为上海"),
    ("ＡＢＣ科技（深圳）有限公司", "abc科技 (深圳) Co., Ltd."),
    ("深圳创新投资(有限合伙)", "深圳创新投资"),
    ("株式会社トヨタ", "㈱トヨタ"),
    ("삼성전자 주식회사", "삼성전자"),
    ("Acme\u200b Ltd", "Acme Ltd"),
]
OTHER = [
    ("Acme Ltd", "Acme Tools Ltd"),
    ("华为（上海）有限公司", "华为（北京）有限公司"),
    ("英特尔（中国）有限公司", "英特尔有限公司"),
    ("华为技术有限公司上海分公司", "华为技术有限公司"),
    ("华东精密机械有限公司", "华南精密机械有限公司"),
    ("Plan B Ltd", "Plan C Ltd"),
    ("Limited Brands", "Brands"),
    ("がっこう", "かっこう"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_company(one: str, other: str) -> None:
    assert company(one) == company(other) != ""


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_company(one: str, other: str) -> None:
    assert company(one) != company(other)


@pytest.mark.parametrize(
    ("text", "left"),
    [("公司", "公司"), ("有限公司", "有限公司"), ("Limited", "limited"), ("Co. Ltd.", "co"), ("S.A.", "sa")],
)
def test_a_name_of_nothing_but_its_form_is_kept(text: str, left: str) -> None:
    assert company(text) == left


@pytest.mark.parametrize("text", ["", "  ", "---", "（）"])
def test_what_has_no_letters_is_blank(text: str) -> None:
    assert company(text) == ""


def test_a_hostile_name_costs_no_more_than_a_long_one() -> None:
    assert company("公司" * 5000) == "公司"
    assert company("Ltd " * 5000) == "ltd"
    assert len(company("a" * 10_000)) == 300
