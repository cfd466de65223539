{{#> layouts/app title=(t "__id__:menu")}}
<p>{{t "__id__:greeting" name=name}}</p>
{{/layouts/app}}
